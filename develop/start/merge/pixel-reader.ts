import { type Frame, fullScale } from '../../../model/picture.js';
import { code8 } from '../response/joint-histogram.js';
import { type CameraResponse, inverseTable } from '../response/response.js';
import { BLACK, WHITE } from './pixel-radiance.js';

/** Confidence in an 8-bit code for the first guess of a pixel's radiance: none where it is clipped. */
const TRUST = Float64Array.from({ length: 256 }, (_, z) =>
  z / 255 <= BLACK || z / 255 >= WHITE ? 0 : Math.min(z, 255 - z),
);

/** Gathers what the frames of one stack say about one pixel of one channel, and a first guess of its radiance. */
export class PixelReader {
  /** Values in [0, 1] of the frames that are not masked at the pixel read last, and their ln 2 · ev. */
  readonly values: Float64Array;
  readonly shifts: Float64Array;
  /** First guess of ln radiance of the pixel read last; where all is clipped, the bound that the clipping sets. */
  start = 0;

  private readonly data: readonly Frame['data'][];
  private readonly scale: Float64Array;
  private readonly shiftOf: Float64Array;
  /** ln exposure of each 8-bit code. */
  private readonly table: Float64Array;

  constructor(
    frames: readonly Frame[],
    response: CameraResponse,
    ev: readonly number[],
    private readonly channel: number,
    private readonly masks: readonly (Uint8Array | undefined)[] | undefined,
  ) {
    this.data = frames.map((frame) => frame.data);
    this.scale = Float64Array.from(frames, (frame) => 1 / fullScale(frame));
    this.shiftOf = Float64Array.from(ev, (stops) => Math.LN2 * stops);
    this.table = inverseTable(response, channel);
    this.values = new Float64Array(frames.length);
    this.shifts = new Float64Array(frames.length);
  }

  /** Reads pixel p; returns how many frames show it. */
  read(p: number): number {
    const { data, scale, shiftOf, table, values, shifts, masks } = this;
    const i = 3 * p + this.channel;
    let used = 0;
    let sum = 0;
    let trust = 0;
    for (let e = 0; e < data.length; e++) {
      const mask = masks?.[e];
      if (mask && mask[p] === 0) continue;
      const raw = data[e][i];
      const code = scale[e] === 1 / 255 ? raw : code8(raw);
      values[used] = raw * scale[e];
      shifts[used] = shiftOf[e];
      used++;
      sum += TRUST[code] * (table[code] - shiftOf[e]);
      trust += TRUST[code];
    }
    this.start = trust > 0 ? sum / trust : this.bound(used);
    return used;
  }

  /** Where every value is clipped: at least what the white ones ask, at most what the black ones allow. */
  private bound(used: number): number {
    let least = Number.NEGATIVE_INFINITY;
    let most = Number.POSITIVE_INFINITY;
    for (let e = 0; e < used; e++) {
      const limit = this.table[Math.round(this.values[e] * 255)] - this.shifts[e];
      if (this.values[e] >= WHITE) least = Math.max(least, limit);
      else most = Math.min(most, limit);
    }
    if (least === Number.NEGATIVE_INFINITY) return most;
    return most === Number.POSITIVE_INFINITY ? least : (least + most) / 2;
  }
}
