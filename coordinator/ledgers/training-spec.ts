import { z } from 'zod';
import type { ObjectStore } from '../../store/objects.js';
import { readHead } from '../../store/scene/head.js';
import {
  type Manifest,
  type SceneSummary,
  sceneSummarySchema,
  snapshotKeys,
} from '../../store/scene/keys.js';
import type { StoredSnapshot, TrainingSpec } from '../scheduler/types.js';

const headSchema = z.object({ summary: sceneSummarySchema });

/** A hop of a tree of runners takes about this long, and this much more for each byte, in milliseconds. */
const HOP_MS = 0.4;
const HOP_BYTE_MS = 5 / 2 ** 20;

/**
 * The summary in the head of a prepared scene.
 *
 * @throws ImplicamError `object-missing`, `session-unusable` for what is damaged or of another version
 */
export async function readSummary(store: ObjectStore, training: string): Promise<SceneSummary> {
  return (await readHead(store, training, headSchema)).summary;
}

/** What the scheduler needs to know of a claimed training. */
export function specOf(
  id: string,
  summary: SceneSummary,
  lease: number,
  manifest: Manifest | undefined,
): TrainingSpec {
  return {
    id,
    shards: summary.shards,
    sharedMemoryBytes: summary.memoryBytes,
    hopMs: HOP_MS + HOP_BYTE_MS * summary.exchangeBytes,
    steps: summary.steps,
    lease,
    stored: [...(manifest?.snapshots ?? []), { step: summary.from, pieces: summary.pieces }],
    engine: manifest?.engine ?? null,
  };
}

/**
 * Drops what the object store has of snapshots older than those that a manifest names: all but the initial state. What is
 * newer is being written, or is overwritten when training comes there again.
 */
export async function dropOlder(
  store: ObjectStore,
  training: string,
  from: number,
  snapshots: readonly StoredSnapshot[],
): Promise<void> {
  const oldest = snapshots.at(-1)?.step ?? from;
  const folder = snapshotKeys.all(training);
  const steps = (await store.list(folder)).map((key) => Number(key.slice(folder.length).split('/')[0]));
  for (const step of new Set(steps)) {
    if (step < oldest && step !== from) await store.deletePrefix(snapshotKeys.folder(training, step));
  }
}
