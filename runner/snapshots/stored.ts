import { freshState, type TrainingState } from '../../engine/engine.js';
import { ImplicamError } from '../../model/errors.js';
import type { Plan } from '../../model/plan.js';
import type { ObjectStore } from '../../store/objects.js';
import { type StoredPiece, snapshotKeys } from '../../store/scene/keys.js';
import { readPiece } from '../../store/scene/verified.js';
import { decodePart, NO_SCORE, partsOf, type SnapshotPart, type StepScore } from './parts.js';

/** Reads a part of a stored snapshot, which must be what was written. @throws ImplicamError `object-damaged` */
export function readStoredPart(
  store: ObjectStore,
  training: string,
  step: number,
  pieces: readonly StoredPiece[],
  part: SnapshotPart,
): Promise<Buffer> {
  const key = snapshotKeys.part(training, step, part.name);
  const piece = pieces.find((one) => one.key === key);
  if (piece) return readPiece(store, piece);
  throw new ImplicamError(
    'object-damaged',
    `the manifest does not name ${key} in the snapshot of step ${step}`,
    {
      status: 500,
    },
  );
}

/** Reads a whole stored snapshot. @throws ImplicamError `object-damaged`, naming the object */
export async function readStoredSnapshot(
  store: ObjectStore,
  training: string,
  plan: Plan,
  { step, pieces }: { readonly step: number; readonly pieces: readonly StoredPiece[] },
): Promise<{ readonly state: TrainingState; readonly score: StepScore }> {
  const state = { ...freshState(new Float32Array(plan.layout.size)), step };
  let score: StepScore | undefined;
  for (const part of partsOf(plan)) {
    if (part.from === part.to) continue;
    const bytes = await readStoredPart(store, training, step, pieces, part);
    score = decodePart(bytes, state, part) ?? score;
  }
  return { state, score: score ?? NO_SCORE };
}
