import { ImplicamError } from '../model/errors.js';
import type { Plan } from '../model/plan.js';
import { partName, type SnapshotPartName } from '../store/scene.js';
import type { TrainingState } from './engines/engine.js';

/**
 * Snapshots in parts: what all shards share lies at the front of the parameter vector, then one run for each shard. A part is that run of the parameters, then of the first, then of the second moments, as
 * little-endian floats; without moments they are zero.
 */
export interface SnapshotPart {
  readonly name: SnapshotPartName;
  /** Not set: what all shards share. */
  readonly shard: number | undefined;
  /** The run of the parameter vector: [from, to). */
  readonly from: number;
  readonly to: number;
}

/** All parts of a session's snapshots: the shared one, then one a shard, empty where it has nothing of its own. */
export function partsOf(plan: Plan): SnapshotPart[] {
  const { groups, size } = plan.layout;
  const firstOf = (shard: number) =>
    groups.find((g) => g.scope !== 'shared' && g.scope.shard >= shard)?.offset ?? size;
  const own = plan.shards.map((_, shard) => ({
    name: partName(shard),
    shard,
    from: firstOf(shard),
    to: firstOf(shard + 1),
  }));
  return [{ name: partName(undefined), shard: undefined, from: 0, to: firstOf(0) }, ...own];
}

/** The parts that the holder of these shards has. */
export function partsOfShards(plan: Plan, shards: readonly number[]): SnapshotPart[] {
  return partsOf(plan).filter((part) => part.shard === undefined || shards.includes(part.shard));
}

/** A copy of a part's run of a state. */
export function encodePart(state: TrainingState, { from, to }: SnapshotPart): Buffer {
  const runs = state.m.length > 0 ? [state.parameters, state.m, state.v] : [state.parameters];
  const views = runs.map((v) => Buffer.from(v.buffer, v.byteOffset + 4 * from, 4 * (to - from)));
  return Buffer.concat(views);
}

/**
 * Puts a part into a state.
 *
 * @throws ImplicamError `snapshot-corrupt` for bytes of another length
 */
export function decodePart(bytes: Buffer, state: TrainingState, part: SnapshotPart): void {
  const length = 4 * (part.to - part.from);
  if (bytes.length !== length && bytes.length !== 3 * length) {
    throw new ImplicamError(
      'snapshot-corrupt',
      `a snapshot's part ${part.name} has ${bytes.length} bytes, not ${3 * length}: it is of another session or version`,
      { status: 500 },
    );
  }
  const runs = [state.parameters, state.m, state.v];
  for (let k = 0; k < bytes.length / length; k++) {
    const view = new Uint8Array(runs[k]!.buffer, runs[k]!.byteOffset + 4 * part.from, length);
    view.set(bytes.subarray(k * length, (k + 1) * length));
  }
}
