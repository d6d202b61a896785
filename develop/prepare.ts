import type { SceneData } from '../engine/engine.js';
import type { ModelConfig } from '../model/config.js';
import { configSchema } from '../model/config.js';
import { ImplicamError } from '../model/errors.js';
import type { ToneStart } from '../model/initial.js';
import { encodeKept } from '../model/kept.js';
import type { Frame, Picture } from '../model/picture.js';
import type { Capture, FrameSetting } from '../model/plan.js';
import {
  type PresetFacts,
  presetConfig,
  presetFocus,
  requirePicture,
  type StillPreset,
} from '../model/presets.js';
import { seenShare, unseenOf } from '../model/unseen.js';
import { evenStack } from './even.js';
import { type Light, lookOf, recoverLight, withoutNoise } from './light.js';
import type { DevelopOptions } from './options.js';
import { type Registered, registerFrames, WARNING } from './register.js';
import { aperturesOf, type StackStart, startStack, widestCircle } from './stack.js';
import { startKernels } from './start/compiled.js';
import { explainedPixels } from './start/depth/explained.js';
import { meanOf } from './start/fusion/blend-share.js';
import { type Grouping, groupFrames } from './start/grouping/frames.js';
import { usedBits, widened } from './start/grouping/used-range.js';
import { VIDEO_BLACK, VIDEO_WHITE, videoRange } from './start/grouping/video-range.js';
import type { StartKernels } from './start/kernels.js';
import { fastExp } from './start/pixels/fast-math.js';
import { blackLevel, stretched } from './start/response/black-level.js';
import { type CameraResponse, RESPONSE_KNOTS } from './start/response/response.js';
import { whiteLevel } from './start/response/white-level.js';

/** Everything that training starts from: the outcome of classical photography. */
export interface Preparation {
  readonly preset: StillPreset;
  readonly config: ModelConfig;
  readonly capture: Capture;
  readonly data: SceneData;
  readonly tone: ToneStart;
  /** The classical all-in-focus picture, ln radiance. */
  readonly allInFocus: Picture;
  /** What was decided and why. */
  readonly notes: readonly string[];
  readonly seconds: { readonly register: number; readonly start: number };
}

/**
 * The classical start of a development: what the frames share, registration, response and exposures, merge, defocus
 * map, all-in-focus picture, and the configuration that suits them.
 *
 * @param earlier notes of what was decided before
 */
export async function prepare(
  given: readonly Frame[],
  options: DevelopOptions,
  earlier: readonly string[] = [],
): Promise<Preparation> {
  const notes: string[] = [];
  const note = (sentence: string) => {
    notes.push(sentence);
    options.onNote?.(sentence);
  };
  requirePicture(options.preset ?? 'auto', options.quality ?? 'standard');
  earlier.forEach(note);
  options.notes?.forEach(note);
  options.onPhase?.('register');
  const kernels = options.startKernels ?? startKernels(options.threads);
  const began = performance.now();
  const frames = ofFullRange(given, note);
  const grouping = groupFrames(frames, asksForOneFocus(options));
  grouping.notes.forEach(note);
  const aligned = fromBlack(registerFrames(frames, grouping, note, kernels), grouping, note);
  const started = performance.now();

  options.onPhase?.('start');
  const preset = choosePreset(options, grouping);
  const recovered = recoverLight(aligned, grouping, note, kernels);
  const stacked = grouping.focus.length > 1;
  const { light, registered } = stacked
    ? evenStack(recovered, aligned, grouping, note, kernels)
    : { light: recovered, registered: aligned };
  const sweep = stacked
    ? startStack(light, grouping, options.quality === 'instant', note, kernels)
    : undefined;
  const merged = sweep?.allInFocus ?? light.views[0];
  const unseen = unseenOf(registered.masks);
  const seen = unseen && seenShare(merged.width, merged.height, unseen.runs);
  // Somebody waits for the preview: it comes with its noise.
  await options.onPreview?.(exponential(merged), lookOf(light), seen);
  const allInFocus = withoutNoise(merged, light, grouping, kernels);
  const facts = factsOf(grouping, registered, allInFocus, light.exposuresKnown, sweep);
  const config = withOptions(presetConfig(preset, options.quality ?? 'standard', facts), options);
  if (sweep) {
    const widest = facts.widestCircle.toFixed(1);
    note(
      `${sweep.kappa.toFixed(2)} pixels of blur a focus unit; the widest circles measure ${widest} pixels`,
    );
  }
  const kept = sweep && encodeKept(sweep.blend, allInFocus.width, allInFocus.height);
  if (unseen) {
    const share = Math.max(0.1, 100 * unseen.share).toFixed(1);
    note(
      `no frame shows ${share} % of the picture: transparent in PNG, WebP, AVIF, TIFF and EXR, black in others`,
    );
  }
  const masks = sweep ? trainingMasks(light, grouping, sweep, config, kernels) : light.masks;
  return {
    preset,
    config,
    capture: {
      width: allInFocus.width,
      height: allInFocus.height,
      frames: grouping.frames.map((f, i): FrameSetting => ({ ...f, ev: light.ev[i] })),
      focus: grouping.focus,
      kappa: sweep?.kappa ?? 1,
      ...(kept ? { kept } : {}),
      ...(unseen ? { unseen: unseen.runs } : {}),
    },
    data: {
      frames: registered.frames.map((f, i) => ({ data: f.data, mask: masks[i] })),
      // A blur without a lens has no defocus map to start from.
      start: {
        radiance: planar(allInFocus),
        defocus: (config.blur.form === 'lens' && sweep?.s.data) || new Float32Array(0),
      },
    },
    tone: { curves: [0, 1, 2].map((c) => curveOf(light.response, c)) },
    allInFocus,
    notes,
    seconds: { register: (started - began) / 1000, start: (performance.now() - started) / 1000 },
  };
}

/** The frames with their white at full scale: as many bits of them as they use, up to where they clip. */
function ofFullRange(frames: readonly Frame[], note: (sentence: string) => void): readonly Frame[] {
  const bits = usedBits(frames);
  if (bits !== undefined) note(`the samples use ${bits} of 16 bits: taken for a camera of ${bits} bits`);
  const wide = bits === undefined ? frames : widened(frames, bits);
  const video = videoRange(wide);
  if (video === 'certain') {
    note('black is 16 and white is 235 of 255 in these frames, the range of video: taken for full range');
    const black = [VIDEO_BLACK, VIDEO_BLACK, VIDEO_BLACK];
    return wide.map((frame) => stretched(frame, black, VIDEO_WHITE));
  }
  if (video === 'doubtful') {
    note(
      `${WARNING}these frames end at 235 of 255, and none is darker than 16: if they are of a video, extract them again in full range`,
    );
  }
  const white = whiteLevel(wide);
  if (white === 255) return wide;
  note(`these frames are white at ${white} of 255 already: taken for clipped there`);
  return wide.map((frame) => stretched(frame, [0, 0, 0], white));
}

/** Whoever asks for a preset of one focus knows better than the pictures. */
const asksForOneFocus = ({ preset = 'auto' }: DevelopOptions): boolean =>
  preset !== 'auto' && presetFocus(preset) === 'one';

function choosePreset(options: DevelopOptions, grouping: Grouping): StillPreset {
  const asked = options.preset ?? 'auto';
  if (asked === 'auto') return grouping.preset;
  if (presetFocus(asked) === 'several' && grouping.focus.length < 2) {
    throw new ImplicamError(
      'preset-mismatch',
      `preset ${asked} needs frames of different focus, and these all share theirs: use --preset exposure or auto`,
      { exitCode: 2 },
    );
  }
  return asked;
}

/** The frames with their black at 0, where they show that it is not. */
function fromBlack(registered: Registered, grouping: Grouping, note: (sentence: string) => void): Registered {
  const { frames, masks } = registered;
  const stacks = grouping.focus.map((_, focus) =>
    frames.flatMap((_, i) => (grouping.frames[i].focus === focus ? [i] : [])),
  );
  const levels = stacks.map((members) =>
    blackLevel(
      members.map((i) => frames[i]),
      members.map((i) => grouping.frames[i].ev),
      members.map((i) => masks[i]),
    ),
  );
  // One camera has one black: what every focus setting shows of it.
  const black = [0, 1, 2].map((c) => Math.min(...levels.map((level) => level[c])));
  if (black.every((v) => v === 0)) return registered;
  note(`black is not 0 in these frames but ${black.join(', ')} of 255 (red, green, blue): subtracted`);
  return { ...registered, frames: frames.map((f) => stretched(f, black)) };
}

/** From this share on a pixel is the blend's, and training leaves it alone. */
const HALF = 0.5;

/** The frames' masks, less what one surface behind the lens cannot explain of them. */
function trainingMasks(
  { views, masks }: Light,
  grouping: Grouping,
  { s, kappa, allInFocus, gains, blend }: StackStart,
  config: ModelConfig,
  kernels: StartKernels,
): readonly (Uint8Array | undefined)[] {
  const { blur } = config;
  if (blur.form !== 'lens') return masks;
  const input = { views, focus: grouping.focus, gains, valid: [], aperture: aperturesOf(grouping) };
  const explained = explainedPixels(input, s, allInFocus, kappa, blur.reach, kernels);
  return grouping.frames.map((f, i) => {
    const mask = masks[i];
    return explained[f.focus].map((v, p) => (blend[p] < HALF && mask?.[p] !== 0 ? v : 0));
  });
}

function factsOf(
  grouping: Grouping,
  registered: Registered,
  picture: Picture,
  exposuresKnown: boolean,
  sweep: StackStart | undefined,
): PresetFacts {
  return {
    pixels: picture.width * picture.height,
    focusSettings: grouping.focus.length,
    exposureSettings: new Set(grouping.frames.map((f) => f.exposure)).size,
    widestCircle: sweep ? widestCircle(sweep, grouping) : 0,
    moved: registered.moved,
    kept: sweep ? meanOf(sweep.blend) : 0,
    exposuresKnown,
  };
}

function withOptions(config: ModelConfig, options: DevelopOptions): ModelConfig {
  if (options.steps === undefined) return config;
  return configSchema.parse({ ...config, train: { ...config.train, steps: options.steps } });
}

function curveOf(response: CameraResponse, channel: number): number[] {
  return Array.from(response.knots.subarray(channel * RESPONSE_KNOTS, (channel + 1) * RESPONSE_KNOTS));
}

function planar(picture: Picture): Float32Array {
  const pixels = picture.width * picture.height;
  const planes = new Float32Array(3 * pixels);
  for (let c = 0; c < 3; c++) {
    for (let i = 0; i < pixels; i++) planes[c * pixels + i] = picture.data[3 * i + c];
  }
  return planes;
}

function exponential(picture: Picture): Picture {
  const data = new Float32Array(picture.data.length);
  for (let i = 0; i < data.length; i++) data[i] = fastExp(picture.data[i]);
  return { ...picture, data };
}
