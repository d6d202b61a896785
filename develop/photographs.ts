import { realpath, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineName } from '../engine/engine.js';
import { readFrames } from '../imaging/capture.js';
import { ImplicamError } from '../model/errors.js';
import type { Frame } from '../model/picture.js';
import { develop } from './develop.js';
import { canContinue, loadModel, saveModel } from './model-file/model-file.js';
import type { Development, DevelopOptions, TrainedModel } from './options.js';
import { originOf, withProgram } from './origin.js';
import {
  type DevelopReport,
  type OutputContext,
  prepareOutputs,
  SNAPSHOT_FILE,
  writeOutputs,
  writePreview,
} from './outputs.js';
import { versions } from './versions.js';

/** From files to a results folder: what the command line and the library have in common. */

export interface PhotographOptions extends Omit<DevelopOptions, 'resume'> {
  /** Folder for the results, made where need be. @default they stay in memory */
  readonly results?: string;
  /** Continue from the snapshot that an interrupted run left in the results folder. */
  readonly resume?: boolean;
}

/** Photographs as they were read, and what their development continues from. */
export interface Photographs {
  readonly frames: readonly Frame[];
  readonly decodeSeconds: number;
  /** What was left out or taken otherwise than one might think. */
  readonly notes: readonly string[];
  readonly snapshot?: TrainedModel;
}

/**
 * Reads photographs, and makes sure before hours of work that the results will have a place.
 *
 * @param paths files, or folders that stand for the photographs in them
 * @throws ImplicamError as `readFrames`; `option-invalid` where the results would lie among the photographs,
 * `snapshot-missing`, `snapshot-invalid`, `snapshot-mismatch`, `write-failed`
 */
export async function readPhotographs(
  paths: readonly string[],
  options: PhotographOptions,
): Promise<Photographs> {
  const { results, resume } = options;
  if (results !== undefined) await requireApart(paths, results);
  const snapshot = resume ? await loadSnapshot(options) : undefined;
  const began = performance.now();
  const notes: string[] = [];
  const frames = await readFrames(paths, { onNote: (note) => notes.push(note) });
  const decodeSeconds = (performance.now() - began) / 1000;
  if (results !== undefined) await prepareOutputs(results);
  return { frames, decodeSeconds, notes, ...(snapshot ? { snapshot } : {}) };
}

/** What came of photographs. */
export interface DevelopedPhotographs {
  readonly development: Development;
  /** Where an interrupted run can be resumed from, if it had a folder for results. */
  readonly snapshotFile?: string;
}

/**
 * Develops photographs. With a results folder the preview is written there as soon as it is known, and a run that the
 * signal stops leaves a snapshot.
 *
 * @throws ImplicamError as `develop`; `write-failed`
 */
export async function developPhotographs(
  { frames, notes, snapshot }: Photographs,
  options: PhotographOptions,
): Promise<DevelopedPhotographs> {
  const { results, resume: _, onPreview, ...rest } = options;
  const origin = withProgram(originOf(frames, rest));
  // The bits of a resumed run are those of the engine that began it.
  const engine = rest.engine ?? (snapshot?.info.engine as EngineName | undefined);
  const development = await develop(frames, {
    ...rest,
    notes,
    ...(engine ? { engine } : {}),
    ...(snapshot ? { resume: snapshot } : {}),
    onPreview: async (radiance, look, seen) => {
      if (results !== undefined) await writePreview(results, radiance, look, origin, seen);
      await onPreview?.(radiance, look, seen);
    },
  });
  if (!development.interrupted || results === undefined) return { development };
  const snapshotFile = join(results, SNAPSHOT_FILE);
  await saveModel(snapshotFile, development.model, { training: true });
  return { development, snapshotFile };
}

/** Writes all results of a development into its folder; the snapshot of an interrupted run has then served. */
export async function writeResultsFolder(
  folder: string,
  development: Development,
  photographs: Pick<OutputContext, 'frames' | 'decodeSeconds'>,
): Promise<DevelopReport> {
  const { frames, decodeSeconds } = photographs;
  const report = await writeOutputs(folder, development, { frames, decodeSeconds, versions: versions() });
  await rm(join(folder, SNAPSHOT_FILE), { force: true });
  return report;
}

/** Results among the photographs would be taken for photographs the next time. */
async function requireApart(paths: readonly string[], results: string): Promise<void> {
  const real = (path: string) => realpath(path).catch(() => undefined);
  const folder = await real(results);
  if (folder === undefined) return;
  for (const path of paths) {
    if ((await real(path)) !== folder) continue;
    throw new ImplicamError(
      'option-invalid',
      `${results} holds the photographs: name another folder for the results`,
      { exitCode: 2 },
    );
  }
}

async function loadSnapshot(options: PhotographOptions): Promise<TrainedModel> {
  if (options.results === undefined) {
    throw new ImplicamError('option-invalid', 'to resume a run, name the folder of its results', {
      exitCode: 2,
    });
  }
  const path = join(options.results, SNAPSHOT_FILE);
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  if (!exists) {
    throw new ImplicamError(
      'snapshot-missing',
      `there is no ${path} to resume from: develop without resuming, or name the results folder of the interrupted run`,
      { exitCode: 2 },
    );
  }
  const snapshot = await loadModel(path);
  if (!canContinue(snapshot)) {
    throw new ImplicamError(
      'snapshot-invalid',
      `${path} is a model to render from, not a snapshot to continue: develop without resuming`,
    );
  }
  requireSameRun(path, snapshot, options);
  return snapshot;
}

/** A snapshot goes on as it began, or its result would be neither run's. */
function requireSameRun(path: string, { info, seed, config }: TrainedModel, asked: PhotographOptions): void {
  const { preset = 'auto', quality = 'standard', engine = info.engine } = asked;
  const { steps } = config.train;
  const pairs: [string, unknown, unknown][] = [
    ['preset', preset === 'auto' ? info.preset : preset, info.preset],
    ['quality', quality, info.quality],
    ['engine', engine, info.engine],
    ['seed', asked.seed ?? 1, seed],
    ['steps', asked.steps ?? steps, steps],
  ];
  const other = pairs.find(([, wanted, begun]) => wanted !== begun);
  if (!other) return;
  const [option, wanted, begun] = other;
  throw new ImplicamError(
    'snapshot-mismatch',
    `${path} was begun with ${option} ${begun}, not ${wanted}: resume with the same options, or develop without resuming`,
    { exitCode: 2 },
  );
}
