import type { TrainingState } from '../../engine/engine.js';
import { ImplicamError } from '../../model/errors.js';
import type { Plan } from '../../model/plan.js';
import { partName, type SnapshotPartName } from '../../store/scene/keys.js';

/**
 * Snapshots in parts: what all shards share lies at the front of the parameter vector, then one run for each shard. A part
 * is that run of the parameters, then of the first, then of the second moments, as little-endian floats; without moments
 * they are zero. Before those of the shared part is how well the step did that the snapshot was taken after: two doubles.
 */
export interface SnapshotPart {
  readonly name: SnapshotPartName;
  /** Not set: what all shards share. */
  readonly shard: number | undefined;
  /** The run of the parameter vector: [from, to). */
  readonly from: number;
  readonly to: number;
}

/** Total loss, and PSNR in dB against the frames, of a step; NaN before the first. */
export interface StepScore {
  readonly loss: number;
  readonly psnr: number;
}

export const NO_SCORE: StepScore = { loss: Number.NaN, psnr: Number.NaN };

/** Bytes of a score. */
export const SCORE_BYTES = 16;

/** All parts of a training's snapshots: the shared one, then one a shard, empty where it has nothing of its own. */
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

/** A copy of a part's run of a state; the score goes with the shared part. */
export function encodePart(
  state: TrainingState,
  { shard, from, to }: SnapshotPart,
  score: StepScore = NO_SCORE,
): Buffer {
  const runs = state.m.length > 0 ? [state.parameters, state.m, state.v] : [state.parameters];
  const views = runs.map((v) => Buffer.from(v.buffer, v.byteOffset + 4 * from, 4 * (to - from)));
  return Buffer.concat(shard === undefined ? [encodeScore(score), ...views] : views);
}

export function encodeScore({ loss, psnr }: StepScore): Buffer {
  const bytes = Buffer.alloc(SCORE_BYTES);
  bytes.writeDoubleLE(loss, 0);
  bytes.writeDoubleLE(psnr, 8);
  return bytes;
}

/**
 * Puts a part into a state; one without room for moments takes the parameters alone.
 *
 * @returns the score, of the shared part
 * @throws ImplicamError `snapshot-corrupt` for bytes of another length
 */
export function decodePart(bytes: Buffer, state: TrainingState, part: SnapshotPart): StepScore | undefined {
  const head = part.shard === undefined ? SCORE_BYTES : 0;
  const length = 4 * (part.to - part.from);
  const count = bytes.length - head;
  if (count !== length && count !== 3 * length) {
    throw new ImplicamError(
      'snapshot-corrupt',
      `a snapshot's part ${part.name} has ${bytes.length} bytes, not ${head + 3 * length}: it is of another training or version`,
      { status: 500 },
    );
  }
  const runs = [state.parameters, state.m, state.v];
  for (let k = 0; k < count / length && runs[k].length > 0; k++) {
    const view = new Uint8Array(runs[k].buffer, runs[k].byteOffset + 4 * part.from, length);
    view.set(bytes.subarray(head + k * length, head + (k + 1) * length));
  }
  return head > 0 ? { loss: bytes.readDoubleLE(0), psnr: bytes.readDoubleLE(8) } : undefined;
}
