import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../cluster/random.js';
import { checkDrafts, sendBackgroundRequests } from './background-requests.js';
import { PersistentClient } from './client.js';
import { photograph } from './photographs.js';
import { PARTS, type Part, type Service } from './service.js';
import { contradictions, type Facts, type Journey, runJourney } from './session-journey.js';
import { WebhookReceiver } from './webhook-receiver.js';

export interface ServiceChaosOptions {
  readonly rounds: number;
  readonly seed: number;
  /** Steps of a session. @default 120 */
  readonly steps?: number;
  /** Apps at work at a time. @default 2 */
  readonly clients?: number;
  /** What may be killed. @default all parts */
  readonly parts?: readonly Part[];
  /** Follows the webhooks too; the service needs `--private-webhooks`. @default false */
  readonly webhooks?: boolean;
  readonly log?: (line: string) => void;
}

export interface ServiceRound {
  readonly round: number;
  /** What was killed, and when. */
  readonly fault: string;
  readonly seconds: number;
  /** What went wrong; empty: nothing. */
  readonly trouble: string;
}

export interface ServiceChaosReport {
  readonly seed: number;
  readonly rounds: readonly ServiceRound[];
  readonly failed: number;
  /** Sessions accepted and trained over all rounds. */
  readonly sessions: number;
  /** Requests that were repeated because their answer was lost or "not now". */
  readonly repeated: number;
  /** What was wrong in the end, over all sessions together. */
  readonly trouble: readonly string[];
}

/**
 * Clients use a running service while one of its processes is killed each round, at a moment that follows from the seed. Every fact that the service has confirmed must still hold after each round and at the end;
 * every training must end with the parameters of one that nothing disturbed.
 */
export async function runServiceChaos(
  service: Service,
  options: ServiceChaosOptions,
): Promise<ServiceChaosReport> {
  const { rounds, seed, steps = 120, clients = 2, webhooks = false, log = () => undefined } = options;
  const photographs = await photograph({ width: 96, height: 64, focus: 3, exposures: 2 });
  const apps = Array.from({ length: clients }, () => new PersistentClient(service.url, service.key));
  const hooks = webhooks ? await WebhookReceiver.start(apps[0]) : undefined;
  const recorded: Facts[] = [];
  const done: ServiceRound[] = [];
  const journeyOf = (round: number, app: number): Journey => ({
    client: apps[app],
    photographs,
    steps,
    way: (round + app) % 2 === 0 ? 'put' : 'parts',
    idempotencyKey: `chaos ${seed}/${round}/${app}`,
    random: new Random(seed + 7919 * (round + 1) + 104_729 * app),
  });
  try {
    const began = performance.now();
    const undisturbed = await Promise.all(apps.map((_, app) => runJourney(journeyOf(-1, app))));
    const usualMs = performance.now() - began;
    recorded.push(...undisturbed);
    const parameters = undisturbed[0].parametersSha256.slice(0, 12);
    log(`undisturbed: ${(usualMs / 1000).toFixed(1)} s, parameters ${parameters}…`);
    for (let round = 0; round < rounds; round++) {
      const journeys = apps.map((_, app) => journeyOf(round, app));
      const result = await runRound(service, options, round, journeys, usualMs, recorded);
      done.push(result);
      log(describe(result));
    }
    const trouble = await checkAll(apps[0], recorded);
    if (hooks) trouble.push(...(await hooks.missing(recorded)));
    return {
      seed,
      rounds: done,
      failed: done.filter((r) => r.trouble !== '').length,
      sessions: recorded.length,
      repeated: apps.reduce((sum, { repeated }) => sum + repeated, 0),
      trouble,
    };
  } finally {
    await hooks?.stop();
  }
}

async function runRound(
  service: Service,
  { seed, parts = PARTS }: ServiceChaosOptions,
  round: number,
  journeys: readonly Journey[],
  usualMs: number,
  recorded: Facts[],
): Promise<ServiceRound> {
  const random = new Random(seed + 7919 * round);
  const part = random.pick(parts);
  const share = random.unit();
  const which = random.below(1000);
  const [{ client, photographs }] = journeys as [Journey, ...Journey[]];
  const [{ session: trained, parametersSha256, renderSha256 }] = recorded as [Facts, ...Facts[]];
  const began = performance.now();
  let isOver = false;
  const strike = async () => {
    await sleep(share * usualMs);
    await service.kill(part, which);
  };
  const acting = Promise.allSettled(journeys.map(runJourney)).finally(() => {
    isOver = true;
  });
  const background = { client, photographs, random, name: `chaos ${seed}/${round}`, trained };
  const wrong: string[] = [];
  const settle = <T>(outcome: PromiseSettledResult<T>): T | undefined => {
    if (outcome.status === 'fulfilled') return outcome.value;
    wrong.push(messageOf(outcome.reason));
    return undefined;
  };
  const [drafts, struck] = await Promise.allSettled([
    sendBackgroundRequests(background, () => isOver),
    strike(),
  ]);
  settle(struck);
  for (const outcome of await acting) {
    const facts = settle(outcome);
    if (!facts) continue;
    recorded.push(facts);
    if (facts.parametersSha256 !== parametersSha256) wrong.push(`${facts.session}: other parameters`);
    if (facts.renderSha256 !== renderSha256) wrong.push(`${facts.session}: another render`);
  }
  try {
    await service.ready();
    wrong.push(...(await checkDrafts(client, settle(drafts) ?? [])));
    for (const facts of recorded.slice(-journeys.length))
      wrong.push(...(await contradictions(client, facts)));
    wrong.push(...(await checkSessionList(client, recorded)));
  } catch (error) {
    wrong.push(messageOf(error));
  }
  if (wrong.length > 0) wrong.push(...service.faults.splice(0));
  return {
    round,
    fault: `kill -9 ${part} at ${Math.round(100 * share)} %`,
    seconds: (performance.now() - began) / 1000,
    trouble: wrong.join('; '),
  };
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

async function checkAll(client: PersistentClient, recorded: readonly Facts[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const facts of recorded) wrong.push(...(await contradictions(client, facts)));
  return [...wrong, ...(await checkSessionList(client, recorded))];
}

/** Checks the list of sessions: no idempotency key made two, and none is missing. @returns what is wrong */
async function checkSessionList(client: PersistentClient, recorded: readonly Facts[]): Promise<string[]> {
  const listed: { id: string; notes: string }[] = [];
  for (let next: string | null = ''; next !== null; ) {
    const after: string = next === '' ? '' : `&after=${encodeURIComponent(next)}`;
    const page: { sessions: { id: string; notes: string }[]; next: string | null } = await client.json(
      'GET',
      `/v1/sessions?limit=200${after}`,
    );
    listed.push(...page.sessions);
    next = page.next;
  }
  const wrong: string[] = [];
  const keys = listed.map(({ notes }) => notes);
  if (new Set(keys).size !== keys.length) wrong.push('one idempotency key made two sessions');
  const ids = new Set(listed.map(({ id }) => id));
  for (const { session } of recorded) if (!ids.has(session)) wrong.push(`session ${session} is lost`);
  return wrong;
}

function describe({ round, fault, seconds, trouble }: ServiceRound): string {
  return `round ${round} (${fault}): ${trouble === '' ? 'all facts hold' : `FAILED: ${trouble}`}; ${seconds.toFixed(1)} s`;
}
