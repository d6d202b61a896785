import { ImplicamError } from '../../../model/errors.js';
import { createPicture, type Frame, type Picture } from '../../../model/picture.js';
import { type CameraResponse, inverseResponse } from '../response/response.js';
import { BLACK, pixelInformation, pixelSolver, solvePixel } from './pixel-radiance.js';
import { PixelReader } from './pixel-reader.js';

export interface MergeOptions {
  /** One a frame: one byte a pixel, 0 = leave the pixel out. */
  readonly masks?: readonly (Uint8Array | undefined)[];
  /** Also return how well each pixel is determined. @default false */
  readonly information?: boolean;
  /** The inner loop. @default the one in TypeScript */
  readonly mergeChannel?: typeof mergeChannel;
}

export interface Merged {
  /** Three channels of ln radiance; 0 is what saturates a frame of ev 0. */
  readonly radiance: Picture;
  /** Three channels: how many frames expose the pixel well, 0 (all clipped or masked) … number of frames. */
  readonly information?: Picture;
}

/**
 * Merges aligned frames of one focus into their radiance, the most likely one given the response (see
 * `pixel-radiance.ts`); one frame alone is simply put through the inverse response. Where every frame is white the
 * result is the least radiance that whitens the darkest frame, where every frame is black the greatest that blackens
 * the brightest; the latter also where every frame is masked. Linear in pixels × frames, no memory beyond the result.
 * @param ev exposure of each frame, in stops
 * @throws ImplicamError `merge-input` when sizes disagree or there is nothing to merge
 */
export function mergeFrames(
  frames: readonly Frame[],
  response: CameraResponse,
  ev: readonly number[],
  options: MergeOptions = {},
): Merged {
  checkStack(frames, ev, options.masks);
  const { width, height } = frames[0];
  const radiance = createPicture(width, height, 3);
  const information = options.information ? createPicture(width, height, 3) : undefined;
  const merge = options.mergeChannel ?? mergeChannel;
  for (let c = 0; c < 3; c++) merge(frames, response, ev, c, options.masks, radiance, information);
  return information ? { radiance, information } : { radiance };
}

/** Merges one channel into `radiance`, and into `information` where it is given. */
export function mergeChannel(
  frames: readonly Frame[],
  response: CameraResponse,
  ev: readonly number[],
  channel: number,
  masks: MergeOptions['masks'],
  radiance: Picture,
  information: Picture | undefined,
): void {
  const solver = pixelSolver(response, channel);
  const reader = new PixelReader(frames, response, ev, channel, masks);
  const { values, shifts } = reader;
  const blackest = darkestRadiance(response, channel, ev);
  const known = SolvedPixels.of(frames, channel, masks);
  const pixels = radiance.width * radiance.height;
  for (let p = 0, i = channel; p < pixels; p++, i += 3) {
    if (known?.find(p)) {
      radiance.data[i] = known.radiance;
      if (information) information.data[i] = known.information;
      continue;
    }
    const used = reader.read(p);
    let u = blackest;
    let told = 0;
    if (used > 0) {
      u = used === 1 ? reader.start : solvePixel(solver, values, shifts, 0, used, reader.start);
      if (information) told = pixelInformation(solver, values, shifts, 0, used, u);
    }
    radiance.data[i] = u;
    if (information) information.data[i] = told;
    known?.keep(u, told);
  }
}

/** The greatest ln radiance that every frame shows as black. */
export function darkestRadiance(response: CameraResponse, channel: number, ev: readonly number[]): number {
  return inverseResponse(response, channel, BLACK) - Math.LN2 * Math.max(...ev);
}

/** With more frames hardly a combination of codes comes twice, and its key would not fit a double. */
const MOST_KEYED_FRAMES = 6;
export const SLOT_BITS = 16;

/**
 * Results by the codes that all frames have at a pixel. Radiance depends on nothing else, and codes repeat: large
 * pictures merge two to four times as fast, to the same bits.
 */
class SolvedPixels {
  /** Of the pixel found last. */
  radiance = 0;
  information = 0;

  private key = 0;
  private slot = 0;
  private readonly keys = new Float64Array(1 << SLOT_BITS).fill(-1);
  private readonly radiances = new Float64Array(1 << SLOT_BITS);
  private readonly informations = new Float64Array(1 << SLOT_BITS);

  private constructor(
    private readonly data: readonly Uint8Array[],
    private readonly channel: number,
    private readonly masks: MergeOptions['masks'],
  ) {}

  /** undefined where keys do not pay: 16-bit codes, many frames, or one. */
  static of(
    frames: readonly Frame[],
    channel: number,
    masks: MergeOptions['masks'],
  ): SolvedPixels | undefined {
    const data = frames.map((frame) => frame.data);
    if (frames.length < 2 || frames.length > MOST_KEYED_FRAMES) return undefined;
    return data.every((codes) => codes instanceof Uint8Array)
      ? new SolvedPixels(data, channel, masks)
      : undefined;
  }

  /** Whether a pixel of the same codes as pixel p has been kept; then its result is in `radiance`, `information`. */
  find(p: number): boolean {
    const i = 3 * p + this.channel;
    let key = 0;
    for (let e = 0; e < this.data.length; e++) {
      const mask = this.masks?.[e];
      key = key * 257 + (mask && mask[p] === 0 ? 256 : this.data[e][i]);
    }
    const slot = Math.imul(key, 0x9e3779b1) >>> (32 - SLOT_BITS);
    this.key = key;
    this.slot = slot;
    if (this.keys[slot] !== key) return false;
    this.radiance = this.radiances[slot];
    this.information = this.informations[slot];
    return true;
  }

  /** Keeps the result of the pixel that was not found. */
  keep(radiance: number, information: number): void {
    this.keys[this.slot] = this.key;
    this.radiances[this.slot] = radiance;
    this.informations[this.slot] = information;
  }
}

/** Refuses frames that cannot be merged. */
export function checkStack(
  frames: readonly Frame[],
  ev: readonly number[],
  masks: readonly (Uint8Array | undefined)[] | undefined,
): void {
  const fail = (message: string) => new ImplicamError('merge-input', message);
  if (frames.length === 0) throw fail('there is no frame to merge; give at least one');
  if (ev.length !== frames.length || !ev.every(Number.isFinite)) {
    throw fail(`${frames.length} frames need as many finite exposures in stops, not [${ev.join(', ')}]`);
  }
  const { name, width, height } = frames[0];
  frames.forEach((frame, k) => {
    if (frame.width !== width || frame.height !== height) {
      throw fail(
        `${frame.name} is ${frame.width}×${frame.height} but ${name} is ${width}×${height}; ` +
          'align and crop the frames of one focus to one size first',
      );
    }
    const mask = masks?.[k];
    if (mask && mask.length !== width * height) {
      throw fail(`the mask of ${frame.name} has ${mask.length} pixels, the frame has ${width * height}`);
    }
  });
}
