import type { DeviceLink, LinkedTrainer } from '../../engine/engine.js';
import type { HostOrder, Member } from '../commands.js';
import { reachPeer } from './peer-failure.js';
import type { ValueName } from './peer-link.js';
import type { PeerLinks } from './peer-links.js';

/**
 * Before the first step the members agree to exchange from device to device: all of them or none. The first member of the
 * placement leads. Each follower reports that it is ready, receives the id of the exchange, joins it, and reports the
 * result; then the leader sends the outcome to all. A member that cannot join makes all of them exchange bytes instead;
 * only a peer that is lost is a failure.
 */

/** How long a member may take to be ready, and then to join, in milliseconds. */
const READY_TIMEOUT = 60_000;
const JOIN_TIMEOUT = 15_000;
/** How much longer a message about joining may take, in milliseconds. */
const SLACK = 10_000;

/** The kinds of control messages, in the order in which they are sent. */
const KINDS = { ready: 0, id: 1, joined: 2, outcome: 3 } as const;
type Kind = keyof typeof KINDS;

/** What a control message carries: success, with the id if there is one, or the reason of a failure. */
type Result = { readonly ok: Uint8Array } | { readonly error: string };

const NOTHING = new Uint8Array(0);
const OK: Result = { ok: NOTHING };

export interface Rendezvous {
  readonly links: PeerLinks;
  readonly order: HostOrder;
  readonly trainer: LinkedTrainer;
  readonly device: DeviceLink;
  readonly signal: AbortSignal;
}

/**
 * Joins the devices of a placement. There must be streams to all members already.
 *
 * @returns why they are not joined, the same for every member; undefined if they are
 * @throws PeerFailure, and `aborted` with the signal
 */
export async function joinDevices(rendezvous: Rendezvous): Promise<string | undefined> {
  const { order, trainer } = rendezvous;
  const rank = order.placement.findIndex(({ shards }) => shards.first === order.shards.first);
  const outcome = rank === 0 ? await lead(rendezvous) : await follow(rendezvous, rank);
  if ('ok' in outcome) return undefined;
  await trainer.leave();
  return outcome.error;
}

async function lead(rendezvous: Rendezvous): Promise<Result> {
  const { order, device, trainer } = rendezvous;
  const followers = order.placement.slice(1);
  const broadcast = (kind: Kind, result: Result) =>
    Promise.all(followers.map((m) => send(rendezvous, m, kind, 0, result)));
  await Promise.all(followers.map((m, i) => receive(rendezvous, m, 'ready', i + 1, READY_TIMEOUT)));
  const id = await resultOf(device.newId());
  await broadcast('id', id);
  if ('error' in id) return id;
  const own = join(rendezvous, id.ok, 0);
  const others = followers.map((m, i) => receive(rendezvous, m, 'joined', i + 1, JOIN_TIMEOUT + SLACK));
  const outcome = await allOrFirstError([own, ...others]);
  if ('error' in outcome) trainer.abort();
  await own;
  await broadcast('outcome', outcome);
  return outcome;
}

async function follow(rendezvous: Rendezvous, rank: number): Promise<Result> {
  const { order, trainer } = rendezvous;
  const leader = order.placement[0];
  await send(rendezvous, leader, 'ready', rank, OK);
  const id = await receive(rendezvous, leader, 'id', 0, READY_TIMEOUT);
  if ('error' in id) return id;
  const outcome = receive(rendezvous, leader, 'outcome', 0, 2 * (JOIN_TIMEOUT + SLACK));
  // If one member could not join, nobody has to wait for it any longer.
  outcome.then(
    (result) => 'error' in result && trainer.abort(),
    () => trainer.abort(),
  );
  await send(rendezvous, leader, 'joined', rank, await join(rendezvous, id.ok, rank));
  return outcome;
}

function join({ trainer, order }: Rendezvous, id: Uint8Array, rank: number): Promise<Result> {
  const ranks = order.placement.length;
  return resultOf(trainer.join({ id, rank, ranks }, JOIN_TIMEOUT).then(() => NOTHING));
}

async function resultOf(work: Promise<Uint8Array>): Promise<Result> {
  try {
    return { ok: await work };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/** OK once all are, or the first error as soon as it is known. */
function allOrFirstError(results: readonly Promise<Result>[]): Promise<Result> {
  return new Promise((resolve, reject) => {
    let missing = results.length;
    for (const one of results) {
      one.then((result) => {
        if ('error' in result) resolve(result);
        else if (--missing === 0) resolve(OK);
      }, reject);
    }
  });
}

function send(
  { links, order, signal }: Rendezvous,
  to: Member,
  kind: Kind,
  sender: number,
  result: Result,
): Promise<void> {
  const bytes =
    'ok' in result
      ? Buffer.concat([Buffer.of(1), result.ok])
      : Buffer.concat([Buffer.of(0), Buffer.from(result.error)]);
  return reachPeer(to.runner, links.send(to.runner, nameOf(order, kind, sender), bytes), signal);
}

async function receive(
  { links, order, signal }: Rendezvous,
  from: Member,
  kind: Kind,
  sender: number,
  deadlineMs: number,
): Promise<Result> {
  const name = nameOf(order, kind, sender);
  const bytes = await reachPeer(from.runner, links.receive(from.runner, name, deadlineMs, signal), signal);
  const rest = bytes.subarray(1);
  return bytes[0] === 1 ? { ok: Uint8Array.from(rest) } : { error: rest.toString() };
}

function nameOf({ training, epoch, step }: HostOrder, kind: Kind, sender: number): ValueName {
  return { training, epoch, step, node: sender, lane: KINDS[kind], root: false, control: true };
}
