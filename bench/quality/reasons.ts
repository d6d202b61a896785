import type { Development } from '../../develop/options.js';
import { project } from '../samples/motion.js';
import type { Truth } from '../samples/truth.js';
import { frameHomography } from '../scores/recover.js';
import type { RadianceScores } from '../scores/scores.js';

/** Decibels that a cause has to account for, to be named. */
const WORTH_NAMING = 1;
const START_BETTER = 0.3;
/** Stops. */
const EXPOSURE_ERROR = 0.1;
/** Pixels. */
const REGISTRATION_ERROR = 0.5;

/** What can be told of why a baseline is better: from the scores, and from what the program took the capture for. */
export function reasons(
  ours: RadianceScores,
  theirs: RadianceScores,
  { model }: Development,
  truth: Truth | undefined,
  start?: RadianceScores,
): string[] {
  const why: string[] = [];
  const trained = (start?.muPsnr ?? Number.NaN) - ours.muPsnr;
  if (trained > START_BETTER) why.push(`training: its start is ${trained.toFixed(1)} dB better`);
  const cast = ours.muPsnrPerChannel - ours.muPsnr;
  if (cast > WORTH_NAMING) {
    const gains = ours.channelGains.map((g) => g.toFixed(3)).join(' ');
    why.push(`colours: a gain a channel (${gains}) is worth ${cast.toFixed(1)} dB`);
  }
  const bent = ours.muPsnrAffine - ours.muPsnrPerChannel;
  if (bent > WORTH_NAMING) why.push(`range: an exponent a channel is worth ${bent.toFixed(1)} dB`);
  if (truth) why.push(...misunderstood(model, truth));
  const at = (scores: RadianceScores, where: 'muPsnrEdge' | 'muPsnrFlat') => scores[where] ?? Number.NaN;
  const edges = at(theirs, 'muPsnrEdge') - at(ours, 'muPsnrEdge');
  const flat = at(theirs, 'muPsnrFlat') - at(ours, 'muPsnrFlat');
  if (edges > 0 && !(flat > 0)) why.push(`beside depth edges alone, by ${edges.toFixed(1)} dB`);
  if (flat > 0 && !(edges > 0)) why.push(`away from depth edges alone, by ${flat.toFixed(1)} dB`);
  return why;
}

/** Where presets, focus settings or exposures are not those of the capture. */
function misunderstood(model: Development['model'], truth: Truth): string[] {
  const { info, capture } = model;
  const out: string[] = [];
  const foci = truth.camera.foci.length;
  if (capture.focus.length !== foci) {
    out.push(`taken for ${capture.focus.length} focus settings instead of ${foci} (preset ${info.preset})`);
  }
  const apart = registrationError(model, truth);
  if (apart > REGISTRATION_ERROR) out.push(`frames registered up to ${apart.toFixed(1)} pixels off`);
  const off = exposureError(info.frames, truth);
  if (off > EXPOSURE_ERROR) out.push(`exposures up to ${off.toFixed(2)} stops off`);
  return out;
}

/** Largest difference of the exposures from the truth's, in stops, but for a common one. */
function exposureError(frames: readonly { file: string; ev: number }[], truth: Truth): number {
  const errors = frames.map(
    ({ file, ev }) => ev - (truth.frames.find((f) => f.file === file)?.ev ?? Number.NaN),
  );
  const sorted = errors.filter(Number.isFinite).sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return Math.max(0, ...sorted.map((e) => Math.abs(e - middle)));
}

/** Largest distance, in pixels, between where a frame and the reference frame are said to show the same point. */
export function registrationError(model: Development['model'], truth: Truth): number {
  const { width, height } = truth;
  const side = Math.max(width, height);
  const reference = frameHomography(model, truth.referenceFrame);
  const known = new Set(model.info.frames.map(({ file }) => file));
  const [at, mine, theirs] = [new Float64Array(2), new Float64Array(2), new Float64Array(2)];
  let worst = 0;
  for (const { file, homography } of truth.frames) {
    if (!known.has(file)) continue;
    const own = frameHomography(model, file);
    for (let k = 0; k < 25; k++) {
      const x = (width * (0.5 + (k % 5))) / 5;
      const y = (height * (0.5 + Math.floor(k / 5))) / 5;
      project(homography, x, y, at);
      project(own, (2 * x - width) / side, (2 * y - height) / side, mine);
      project(reference, (2 * at[0] - width) / side, (2 * at[1] - height) / side, theirs);
      worst = Math.max(worst, (Math.hypot(mine[0] - theirs[0], mine[1] - theirs[1]) * side) / 2);
    }
  }
  return worst;
}
