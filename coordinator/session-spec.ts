import { z } from 'zod';
import type { ObjectStore } from '../store/objects.js';
import { type SceneSummary, sceneKeys, sceneSummarySchema } from '../store/scene.js';
import type { SessionSpec } from './scheduler/types.js';

const headSchema = z.object({ summary: sceneSummarySchema });

/** A hop of a tree of runners takes about this long, and this much more for each byte, in milliseconds. */
const HOP_MS = 0.4;
const HOP_BYTE_MS = 5 / 2 ** 20;

/** What a prepared scene says of itself. @throws ImplicamError `object-missing` */
export async function readSummary(store: ObjectStore, session: string): Promise<SceneSummary> {
  const bytes = await store.read(sceneKeys.head(session));
  return headSchema.parse(JSON.parse(bytes.toString())).summary;
}

/** What the scheduler needs to know of a claimed session. */
export function specOf(
  id: string,
  summary: SceneSummary,
  lease: number,
  durableStep: number,
  engine: string | null = null,
): SessionSpec {
  return {
    id,
    shards: summary.shards,
    sharedMemoryBytes: summary.memoryBytes,
    hopMs: HOP_MS + HOP_BYTE_MS * summary.exchangeBytes,
    steps: summary.steps,
    lease,
    durableStep,
    engine,
  };
}
