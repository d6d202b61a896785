import { setImmediate } from 'node:timers/promises';
import { isReducing, type ShardedTrainer, type TrainingState } from '../engine/engine.js';
import { ImplicamError } from '../model/errors.js';
import { createPlan, type Plan } from '../model/plan.js';
import { shardReads } from '../model/shard-reads.js';
import { type HostOrder, shardsOf } from './commands.js';
import { reachPeer } from './exchange/peer-failure.js';
import { readSceneData, readSceneHead } from './scenes/bundle.js';
import type { HostServices } from './services.js';
import {
  decodePart,
  encodePart,
  NO_SCORE,
  partsOfShards,
  type SnapshotPart,
  type StepScore,
} from './snapshots/parts.js';
import { readStoredPart } from './snapshots/stored.js';
import { fetchFromPeer } from './snapshots/transfer.js';

/** Opens the shards of a `host` command at its step: pixels from the object store, state from its sources. */
export async function openShards(
  services: HostServices,
  order: HostOrder,
  signal: AbortSignal,
): Promise<{ trainer: ShardedTrainer; plan: Plan; score: StepScore }> {
  const { store, engine, snapshots } = services;
  const head = await readSceneHead(store, order.training);
  const { capture, config, seed } = head.model;
  const plan = createPlan(capture, config, seed);
  const shards = shardsOf(order.shards);
  const { state, score } = await restoreState(services, order, plan, signal);
  signal.throwIfAborted();
  const reads = shards.map((shard) => shardReads(plan, plan.shards[shard]));
  const data = await readSceneData(store, order.training, head, plan, reads);
  signal.throwIfAborted();
  const trainer = await engine.open(plan, data, state, { shards });
  if (!isReducing(trainer)) {
    trainer.close();
    throw new ImplicamError(
      'engine-unusable',
      `the ${engine.name} engine cannot host single shards: build the native engine (npm run build:native)`,
    );
  }
  // Held from the start, so that the first step can be restored.
  snapshots.keep(order.training, (step) => step <= order.step);
  for (const part of partsOfShards(plan, shards)) {
    if (!snapshots.get(order.training, order.step, part.name)) {
      snapshots.put(order.training, order.step, part.name, encodePart(state, part, score));
      // A large training's copies take seconds: heartbeats go out between them.
      await setImmediate();
    }
  }
  return { trainer, plan, score };
}

/** The state of an order's step: parts that are held here, the others from their sources. */
async function restoreState(
  services: HostServices,
  order: HostOrder,
  plan: Plan,
  signal: AbortSignal,
): Promise<{ state: TrainingState; score: StepScore }> {
  const { size } = plan.layout;
  const state: TrainingState = {
    step: order.step,
    parameters: new Float32Array(size),
    m: new Float32Array(size),
    v: new Float32Array(size),
  };
  let score = NO_SCORE;
  for (const part of partsOfShards(plan, shardsOf(order.shards))) {
    if (part.from === part.to) continue;
    score = decodePart(await findPart(services, order, part, signal), state, part) ?? score;
  }
  return { state, score };
}

async function findPart(
  services: HostServices,
  order: HostOrder,
  part: SnapshotPart,
  signal: AbortSignal,
): Promise<Buffer> {
  const { training, step } = order;
  const held = services.snapshots.get(training, step, part.name);
  if (held) return held;
  const of = part.shard ?? order.shards.first;
  const source = order.sources.find(({ shards: { first, count } }) => of >= first && of < first + count);
  if (!source?.holder) return readStoredPart(services.store, training, step, source?.pieces ?? [], part);
  const client = services.links.client(source.holder);
  const { runner } = source.holder;
  return reachPeer(runner, fetchFromPeer(client, { training, step, shard: part.shard }), signal);
}
