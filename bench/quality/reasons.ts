import type { Development } from '../../develop/options.js';
import type { Truth } from '../samples/truth.js';
import type { RadianceScores } from '../scores/scores.js';

/** Decibels that a cause has to account for, to be named. */
const WORTH_NAMING = 1;
/** Stops. */
const EXPOSURE_ERROR = 0.1;

/** What can be told of why a baseline is better: from the scores, and from what the program took the capture for. */
export function reasons(
  ours: RadianceScores,
  theirs: RadianceScores,
  { model }: Development,
  truth: Truth | undefined,
): string[] {
  const why: string[] = [];
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
function misunderstood({ info, capture }: Development['model'], truth: Truth): string[] {
  const out: string[] = [];
  const foci = truth.camera.foci.length;
  if (capture.focus.length !== foci) {
    out.push(`${foci} focus settings taken for ${capture.focus.length} (preset ${info.preset})`);
  }
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
