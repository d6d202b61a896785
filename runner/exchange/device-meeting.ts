import type { DeviceLink, JoiningSession } from '../../engine/engine.js';
import type { HostOrder, Member } from '../commands.js';
import { reachPeer } from './peer-failure.js';
import type { ValueName } from './peer-link.js';
import type { PeerLinks } from './peer-links.js';

/**
 * Members agree, before the first step, to exchange from device to device: all of them or none. The first of the placement
 * presides. Each of the others says that it is ready, is given the identity of the exchange, joins it, and says how that
 * went; the first tells all whether everybody could. A failure of one is nobody's loss, only a lost peer is.
 */

/** How long a member may take to be ready, and then to join, in milliseconds. */
const READY = 60_000;
const JOIN = 15_000;
/** A word about joining may come this much later, in milliseconds. */
const SLACK = 10_000;

/** What is said, in this order. */
const TOPICS = { ready: 0, identity: 1, joined: 2, verdict: 3 } as const;
type Topic = keyof typeof TOPICS;

/** Yes, with something to it, or no, with the reason. */
type Word = { readonly yes: Uint8Array } | { readonly no: string };

const NOTHING = new Uint8Array(0);
const YES: Word = { yes: NOTHING };

export interface Meeting {
  readonly links: PeerLinks;
  readonly order: HostOrder;
  readonly session: JoiningSession;
  readonly device: DeviceLink;
  readonly signal: AbortSignal;
}

/**
 * Joins the devices of a placement; streams to all members stand already.
 *
 * @returns why they are not joined, the same for every member; undefined where they are
 * @throws PeerFailure, and `aborted` with the signal
 */
export async function joinDevices(meeting: Meeting): Promise<string | undefined> {
  const { order, session } = meeting;
  const rank = order.placement.findIndex(({ shards }) => shards.first === order.shards.first);
  const verdict = rank === 0 ? await preside(meeting) : await attend(meeting, rank);
  if ('yes' in verdict) return undefined;
  await session.leave();
  return verdict.no;
}

async function preside(meeting: Meeting): Promise<Word> {
  const { order, device, session } = meeting;
  const others = order.placement.slice(1);
  const tellAll = (topic: Topic, word: Word) =>
    Promise.all(others.map((m) => tell(meeting, m, topic, 0, word)));
  await Promise.all(others.map((m, i) => hear(meeting, m, 'ready', i + 1, READY)));
  const identity = await asWord(device.newId());
  await tellAll('identity', identity);
  if ('no' in identity) return identity;
  const own = join(meeting, identity.yes, 0);
  const answers = others.map((m, i) => hear(meeting, m, 'joined', i + 1, JOIN + SLACK));
  const verdict = await agreement([own, ...answers]);
  if ('no' in verdict) session.part();
  await own;
  await tellAll('verdict', verdict);
  return verdict;
}

async function attend(meeting: Meeting, rank: number): Promise<Word> {
  const { order, session } = meeting;
  const first = order.placement[0]!;
  await tell(meeting, first, 'ready', rank, YES);
  const identity = await hear(meeting, first, 'identity', 0, READY);
  if ('no' in identity) return identity;
  const verdict = hear(meeting, first, 'verdict', 0, 2 * (JOIN + SLACK));
  // One that could not join ends the wait of all.
  verdict.then(
    (word) => 'no' in word && session.part(),
    () => session.part(),
  );
  await tell(meeting, first, 'joined', rank, await join(meeting, identity.yes, rank));
  return verdict;
}

function join({ session, order }: Meeting, id: Uint8Array, rank: number): Promise<Word> {
  const ranks = order.placement.length;
  return asWord(session.join({ id, rank, ranks }, JOIN).then(() => NOTHING));
}

async function asWord(work: Promise<Uint8Array>): Promise<Word> {
  try {
    return { yes: await work };
  } catch (error) {
    return { no: error instanceof Error ? error.message : String(error) };
  }
}

/** Yes when all have said so, no as soon as one does. */
function agreement(answers: readonly Promise<Word>[]): Promise<Word> {
  return new Promise((resolve, reject) => {
    let missing = answers.length;
    for (const answer of answers) {
      answer.then((word) => {
        if ('no' in word) resolve(word);
        else if (--missing === 0) resolve(YES);
      }, reject);
    }
  });
}

function tell(
  { links, order, signal }: Meeting,
  to: Member,
  topic: Topic,
  teller: number,
  word: Word,
): Promise<void> {
  const bytes =
    'yes' in word
      ? Buffer.concat([Buffer.of(1), word.yes])
      : Buffer.concat([Buffer.of(0), Buffer.from(word.no)]);
  return reachPeer(to.runner, links.send(to.runner, nameOf(order, topic, teller), bytes), signal);
}

async function hear(
  { links, order, signal }: Meeting,
  from: Member,
  topic: Topic,
  teller: number,
  deadlineMs: number,
): Promise<Word> {
  const name = nameOf(order, topic, teller);
  const bytes = await reachPeer(from.runner, links.receive(from.runner, name, deadlineMs, signal), signal);
  const rest = bytes.subarray(1);
  return bytes[0] === 1 ? { yes: Uint8Array.from(rest) } : { no: rest.toString() };
}

function nameOf({ session, epoch, step }: HostOrder, topic: Topic, teller: number): ValueName {
  return { session, epoch, step, node: teller, lane: TOPICS[topic], root: false, word: true };
}
