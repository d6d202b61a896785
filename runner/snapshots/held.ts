import type { SnapshotPartName } from '../../store/scene/keys.js';

/** Shards `first` … `first + count − 1`. */
export interface ShardRange {
  readonly first: number;
  readonly count: number;
}

interface Held {
  readonly parts: Map<SnapshotPartName, Buffer>;
}

/**
 * Snapshots in this runner's memory: its own, and copies for peers. They outlive epochs and connections, until the
 * coordinator sends `discard` or `release`.
 */
export class HeldSnapshots {
  private readonly trainings = new Map<string, Map<number, Held>>();

  put(training: string, step: number, part: SnapshotPartName, bytes: Buffer): void {
    const steps = this.trainings.get(training) ?? new Map<number, Held>();
    const held = steps.get(step) ?? { parts: new Map() };
    this.trainings.set(training, steps.set(step, held));
    held.parts.set(part, bytes);
  }

  get(training: string, step: number, part: SnapshotPartName): Buffer | undefined {
    return this.trainings.get(training)?.get(step)?.parts.get(part);
  }

  /** Drops the training's snapshots of which the step is not wanted. */
  keep(training: string, wanted: (step: number) => boolean): void {
    const steps = this.trainings.get(training);
    if (!steps) return;
    for (const step of [...steps.keys()]) if (!wanted(step)) steps.delete(step);
    if (steps.size === 0) this.trainings.delete(training);
  }

  /** The held shards as ranges, of those steps whose shared parameters are held too. */
  list(): { training: string; step: number; shards: ShardRange }[] {
    const found: { training: string; step: number; shards: ShardRange }[] = [];
    for (const [training, steps] of this.trainings) {
      for (const [step, { parts }] of steps) {
        if (!parts.has('shared')) continue;
        for (const shards of runsOf(parts.keys())) found.push({ training, step, shards });
      }
    }
    return found;
  }

  /** Bytes held, for the metrics. */
  bytes(): number {
    let sum = 0;
    for (const steps of this.trainings.values()) {
      for (const { parts } of steps.values()) for (const bytes of parts.values()) sum += bytes.length;
    }
    return sum;
  }
}

function runsOf(parts: Iterable<SnapshotPartName>): ShardRange[] {
  const shards = [...parts].flatMap((p) => (p === 'shared' ? [] : [Number(p.slice('shard-'.length))]));
  const runs: { first: number; count: number }[] = [];
  for (const shard of shards.sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last && last.first + last.count === shard) last.count++;
    else runs.push({ first: shard, count: 1 });
  }
  return runs;
}
