import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readFrame, readPicture } from '../../imaging/read.js';
import { ImplicamError } from '../../model/errors.js';
import { explainIssues } from '../../model/issues.js';
import { createPicture, type Picture } from '../../model/picture.js';
import { bestFrame } from '../baselines/best-frame.js';
import { classicalRadiance } from '../baselines/classical.js';
import { registered } from '../baselines/register.js';
import type { PhotoStack } from '../baselines/stack.js';
import { TRUTH_FILE, type Truth, truthSchema } from '../samples/truth.js';
import { correlation, type RadianceScores, scoreRadiance } from './scores.js';

/** What a model recovered. */
export interface Recovered {
  /** Linear radiance, 3 channels, any scale, in the view of the truth's reference frame. */
  readonly radiance: Picture;
  /** Signed defocus map (relative inverse depth), 1 channel, any scale; near is the larger number. */
  readonly defocus?: Picture;
}

/** A known truth and the photographs taken of it. */
export interface KnownTruth {
  /** Linear radiance. */
  readonly radiance: Picture;
  /** 1/m. */
  readonly inverseDepth: Picture;
  /** Photographs registered to the truth, with their true exposures. */
  readonly stack: PhotoStack;
}

/** Scores of a recovered scene, with those of simpler methods on the same photographs. */
export interface Evaluation extends RadianceScores {
  /** Correlation of the defocus map with inverse depth, −1…1; null without a map, or where either is constant. */
  readonly depthCorrelation: number | null;
  readonly baselines: {
    /** The best single photograph, linearised as sRGB. */
    readonly bestFrame: RadianceScores;
    /** Debevec's merge per focus, then the sharpest focus (exposures known, frames registered by the truth). */
    readonly classical: RadianceScores;
  };
}

/**
 * Scores a recovered scene and the baselines. Pure.
 *
 * @throws ImplicamError `shape-mismatch` when the recovered pictures are not of the truth's size.
 */
export function evaluateAgainst(recovered: Recovered, truth: KnownTruth): Evaluation {
  const score = (picture: Picture) => finite(scoreRadiance(picture, truth.radiance, truth.inverseDepth));
  const depth =
    recovered.defocus === undefined ? Number.NaN : correlation(recovered.defocus, truth.inverseDepth);
  return {
    ...score(recovered.radiance),
    depthCorrelation: Number.isNaN(depth) ? null : depth,
    baselines: {
      bestFrame: score(bestFrame(truth.stack, truth.radiance).picture),
      classical: score(classicalRadiance(truth.stack)),
    },
  };
}

/** Leaves out scores over no pixels at all, which JSON cannot hold: a flat scene has no depth edges. */
function finite(scores: RadianceScores): RadianceScores {
  return Object.fromEntries(
    Object.entries(scores).filter(([, v]) => !Number.isNaN(v)),
  ) as unknown as RadianceScores;
}

/**
 * Scores a recovered scene against the truth in a folder that `implicam sample` wrote.
 *
 * @throws ImplicamError `truth-missing`, `truth-invalid`, `shape-mismatch`, and what reading pictures throws.
 */
export async function evaluate(recovered: Recovered, truthFolder: string): Promise<Evaluation> {
  return evaluateAgainst(recovered, await readKnownTruth(truthFolder));
}

/** Reads all of a sample folder. */
export async function readKnownTruth(folder: string): Promise<KnownTruth> {
  const truth = await readTruth(folder);
  const radiance = await readPicture(join(folder, truth.files.radiance));
  const depth = await readPicture(join(folder, truth.files.depth));
  const inverseDepth = createPicture(depth.width, depth.height, 1);
  for (let i = 0; i < inverseDepth.data.length; i++) inverseDepth.data[i] = 1 / depth.data[i];
  return { radiance, inverseDepth, stack: await readStack(folder, truth) };
}

/** Reads and checks `truth.json`. */
export async function readTruth(folder: string): Promise<Truth> {
  const path = join(folder, TRUTH_FILE);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ImplicamError(
      'truth-missing',
      `${path} could not be read (${(cause as NodeJS.ErrnoException).code}): name a folder that "implicam sample" wrote`,
      { exitCode: 2, cause },
    );
  });
  const refuse = (reason: string): never => {
    throw new ImplicamError(
      'truth-invalid',
      `${path} is not the truth of a sample (${reason}): make the sample anew`,
    );
  };
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return refuse('it is not JSON');
  }
  const parsed = truthSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  return refuse(explainIssues(truthSchema, content, parsed.error.issues));
}

/** The baselines are of their time: they work on 8 bits. */
function eightBits(data: Uint8Array | Uint16Array, bits: number): Uint8Array {
  if (data instanceof Uint8Array) return data;
  const scale = 255 / (2 ** bits - 1);
  return Uint8Array.from(data, (v) => Math.min(Math.round(v * scale), 255));
}

async function readStack(folder: string, truth: Truth): Promise<PhotoStack> {
  const { width, height } = truth;
  const brackets = truth.camera.foci.map(() => ({ pixels: [] as Uint8Array[], evs: [] as number[] }));
  for (const { file, ev, focusIndex, homography } of truth.frames) {
    const frame = await readFrame(join(folder, file));
    if (frame.width !== width || frame.height !== height) {
      throw new ImplicamError(
        'truth-invalid',
        `${file} is ${frame.width}x${frame.height}, but the truth says ${width}x${height}: make the sample anew`,
      );
    }
    const bracket = brackets[focusIndex];
    if (bracket === undefined) {
      throw new ImplicamError(
        'truth-invalid',
        `${file} has focus ${focusIndex}, which the truth's camera does not have`,
      );
    }
    bracket.pixels.push(registered(eightBits(frame.data, truth.taken.bits), width, height, homography));
    bracket.evs.push(ev);
  }
  const empty = brackets.findIndex((b) => b.pixels.length === 0);
  if (empty >= 0) {
    throw new ImplicamError(
      'truth-invalid',
      `${folder} has no photograph at focus ${empty}: make the sample anew`,
    );
  }
  return { width, height, brackets };
}
