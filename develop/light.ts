import type { Look } from '../model/camera/camera.js';
import type { Frame, Picture } from '../model/picture.js';
import type { Registered } from './register.js';
import type { Grouping } from './start/grouping/frames.js';
import type { StartKernels } from './start/kernels.js';
import { denoise } from './start/merge/denoise.js';
import { mergeFrames } from './start/merge/merge.js';
import { findMoved } from './start/merge/moved.js';
import { measureNoise, type SensorNoise } from './start/merge/noise.js';
import { letIn, shownPixels } from './start/merge/shown.js';
import { estimateDoubtfully } from './start/response/doubt-exposures.js';
import { fitResponse } from './start/response/fit.js';
import { type CameraResponse, responseValue, srgbResponse } from './start/response/response.js';

/** What the exposures of a capture tell. */
export interface Light {
  /** ln radiance, one picture a focus setting. */
  readonly views: Picture[];
  /** Of each view one byte a pixel, 0 = no frame shows what is there; undefined where all of it is shown. */
  readonly shown: readonly (Uint8Array | undefined)[];
  readonly response: CameraResponse;
  /** Exposure of each frame in stops. */
  readonly ev: readonly number[];
  /** Whether that is what the camera says, and the pictures confirm. */
  readonly exposuresKnown: boolean;
  /** undefined where the frames do not tell. */
  readonly noise: SensorNoise | undefined;
  /** One a frame: the registration's, less what moved between frames of one focus. */
  readonly masks: readonly (Uint8Array | undefined)[];
}

/** The frames of one focus: their places in the capture, pictures, masks and exposures. */
interface Stack {
  readonly members: readonly number[];
  readonly frames: readonly Frame[];
  readonly masks: readonly (Uint8Array | undefined)[];
  readonly ev: readonly number[];
}

/** Response, exposures, what moved, and the merged radiance of every focus setting. */
export function recoverLight(
  registered: Registered,
  grouping: Grouping,
  note: (sentence: string) => void,
  { mergeChannel }: StartKernels,
): Light {
  const members = grouping.focus.map((_, focus) =>
    grouping.frames.flatMap((f, i) => (f.focus === focus ? [i] : [])),
  );
  const { codeNoise, ...camera } = recoverCamera(registered, grouping, members, note);
  const { response, ev } = camera;
  const stacks = members.map(
    (m): Stack => ({
      members: m,
      frames: m.map((i) => registered.frames[i]),
      masks: m.map((i) => registered.masks[i]),
      ev: m.map((i) => ev[i]),
    }),
  );
  const [frames, evs] = [stacks.map((stack) => stack.frames), stacks.map((stack) => stack.ev)];
  const noise = measureNoise(
    frames,
    evs,
    response,
    stacks.map((stack) => stack.masks),
  );
  // From one focus to the next it would be taken for blur, or blur for it.
  const still =
    noise !== undefined && stacks.length === 1
      ? stacks.map((stack) => withoutMoved(stack, response, withCodeNoise(noise, codeNoise), note))
      : stacks;
  const shown = still.map((stack) => shownPixels(stack.frames, stack.masks));
  const views = still.map((stack, v) => {
    const masks = letIn(stack.masks, shown[v]);
    return mergeFrames(stack.frames, response, stack.ev, { masks, mergeChannel }).radiance;
  });
  const masks = [...registered.masks];
  for (const stack of still) for (const [k, i] of stack.members.entries()) masks[i] = stack.masks[k];
  return { ...camera, views, shown, noise, masks };
}

/** Response and exposures, from frames of different exposure. */
function recoverCamera(
  registered: Registered,
  grouping: Grouping,
  members: readonly (readonly number[])[],
  note: (sentence: string) => void,
): Pick<Light, 'response' | 'ev' | 'exposuresKnown'> & { readonly codeNoise: number } {
  const stacks = members.map((m) => m.map((i) => registered.frames[i]));
  const masks = members.map((m) => m.map((i) => registered.masks[i]));
  const settings = [...new Set(grouping.frames.map((f) => f.exposure))].sort((a, b) => a - b);
  const start = settings.map((e) => {
    const evs = grouping.frames.filter((f) => f.exposure === e).map((f) => f.ev);
    return evs.reduce((a, b) => a + b, 0) / evs.length;
  });
  const evs = (of: readonly number[]) => grouping.frames.map((f) => of[settings.indexOf(f.exposure)]);
  if (settings.length === 1) {
    return {
      response: srgbResponse(),
      codeNoise: 0,
      ev: evs(start),
      exposuresKnown: grouping.exposuresKnown,
    };
  }
  const groups = members.map((m) => m.map((i) => settings.indexOf(grouping.frames[i].exposure)));
  const known = grouping.exposuresKnown;
  const estimate = estimateDoubtfully(stacks, { groups, ev: start, known }, { masks });
  if (known && !estimate.known) {
    const off = Math.max(...estimate.ev.map((v, k) => Math.abs(v - start[k]))).toFixed(2);
    note(`the pictures agree better with exposures up to ${off} stops from those in EXIF: learned from them`);
  }
  const ev = groups.map((g) => g.map((k) => estimate.ev[k]));
  const { response, codeNoise, unlit } = fitResponse(stacks, ev, { masks });
  if (unlit.length > 0) {
    const dark = unlit.map((channel) => ['red', 'green', 'blue'][channel]).join(' and ');
    note(`almost no light in ${dark}: the response there is taken from the other channels`);
  }
  note(`exposures in stops: ${estimate.ev.map((v) => v.toFixed(2)).join(', ')}`);
  return { response, codeNoise, ev: evs(estimate.ev), exposuresKnown: estimate.known };
}

/** Compression scatters codes as rounding does, only wider: without it still JPEG scenes lose up to 5 % as moved. */
function withCodeNoise(noise: SensorNoise, codeNoise: number): SensorNoise {
  return { ...noise, rounding: Math.max(noise.rounding, codeNoise) };
}

/** Shares of a picture below this are not worth a sentence. */
const WORTH_TELLING = 5e-4;

/** The frames with what moved between them masked in all but one. */
function withoutMoved(
  stack: Stack,
  response: CameraResponse,
  noise: SensorNoise,
  note: (sentence: string) => void,
): Stack {
  const { frames, ev } = stack;
  if (frames.length < 2) return stack;
  const { reference, masks, shares } = findMoved(frames, response, ev, noise, stack.masks);
  const told = frames.flatMap(({ name }, i) =>
    shares[i] > WORTH_TELLING ? [`${(100 * shares[i]).toFixed(1)} % of ${name}`] : [],
  );
  if (told.length > 0) {
    note(`something moved: shown as in ${frames[reference].name}, left out of ${told.join(', ')}`);
  }
  return { ...stack, masks };
}

/** The camera before training: the learned response starts from the same curve. */
export function lookOf({ ev, response }: Light): Look {
  return { ev, tone: (channel, lnExposure) => responseValue(response, channel, lnExposure) };
}

/** The picture without what is only noise, where the frames show how much of it there is. */
export function withoutNoise(
  picture: Picture,
  { response, ev, noise }: Light,
  grouping: Grouping,
  { shrinkDetail }: StartKernels,
): Picture {
  if (!noise) return picture;
  // Of the view with most frames, whose noise is least, should they differ: texture must not count as noise.
  const views = grouping.focus.map((_, focus) => ev.filter((_, i) => grouping.frames[i].focus === focus));
  const most = views.reduce((a, b) => (b.length > a.length ? b : a));
  return denoise(picture, response, most, noise, { shrinkDetail });
}
