import { ImplicamError } from '../../../model/errors.js';
import type { Frame } from '../../../model/picture.js';

/** Two frames of one stack, by index, to be compared pixel by pixel. */
export interface FramePair {
  readonly stack: number;
  readonly first: number;
  readonly second: number;
}

/** Which pairs of 8-bit codes occur at the same pixel of two frames, and how often: a comparagram, stored sparsely. */
export interface PairHistogram<P extends FramePair> {
  readonly pair: P;
  /** 0…2. */
  readonly channel: number;
  /** Code in the pair's first frame, per entry. */
  readonly first: Uint8Array;
  /** Code in the pair's second frame, per entry. */
  readonly second: Uint8Array;
  /** Pixels with that pair of codes, per entry. */
  readonly count: Float64Array;
}

/** Above this many pixels a frame, rows are left out: the curve has 256 values, not millions. */
const MOST_PIXELS = 4e6;

/** 8-bit code of a 16-bit one, to nearest: 65535 = 255 · 257. */
export function code8(value: number): number {
  return ((value + 128) / 257) | 0;
}

/**
 * Joint histograms of the pairs, three channels each, over all pixels that both masks keep; of frames above 4 MP only
 * every n-th row is read. 16-bit frames are rounded to 8 bits.
 * @param masks per stack and frame one byte a pixel, 0 = leave out
 */
export function jointHistograms<P extends FramePair>(
  stacks: readonly (readonly Frame[])[],
  pairs: readonly P[],
  masks?: readonly (readonly (Uint8Array | undefined)[])[],
): PairHistogram<P>[] {
  const table = new Uint32Array(3 * 65536);
  return pairs.flatMap((pair) => {
    const a = stacks[pair.stack][pair.first];
    const b = stacks[pair.stack][pair.second];
    const maskA = checkedMask(masks?.[pair.stack]?.[pair.first], a);
    const maskB = checkedMask(masks?.[pair.stack]?.[pair.second], b);
    table.fill(0);
    countPairs(table, a, b, maskA, maskB);
    return [0, 1, 2].map((channel) =>
      sparse(table.subarray(channel * 65536, (channel + 1) * 65536), pair, channel),
    );
  });
}

function checkedMask(mask: Uint8Array | undefined, frame: Frame): Uint8Array | undefined {
  if (mask && mask.length !== frame.width * frame.height) {
    throw new ImplicamError(
      'mask-size',
      `the mask of ${frame.name} has ${mask.length} pixels, the frame has ${frame.width * frame.height}`,
    );
  }
  return mask;
}

function countPairs(table: Uint32Array, a: Frame, b: Frame, maskA?: Uint8Array, maskB?: Uint8Array): void {
  const { width, height } = a;
  const step = Math.max(1, Math.ceil((width * height) / MOST_PIXELS));
  const wideA = a.data instanceof Uint16Array;
  const wideB = b.data instanceof Uint16Array;
  const [dataA, dataB] = [a.data, b.data];
  for (let y = step >> 1; y < height; y += step) {
    const end = (y + 1) * width;
    for (let p = y * width; p < end; p++) {
      if ((maskA && maskA[p] === 0) || (maskB && maskB[p] === 0)) continue;
      for (let c = 0, i = 3 * p; c < 3; c++, i++) {
        const za = wideA ? code8(dataA[i]) : dataA[i];
        const zb = wideB ? code8(dataB[i]) : dataB[i];
        table[(c << 16) | (za << 8) | zb]++;
      }
    }
  }
}

function sparse<P extends FramePair>(table: Uint32Array, pair: P, channel: number): PairHistogram<P> {
  let entries = 0;
  for (let i = 0; i < table.length; i++) if (table[i] > 0) entries++;
  const first = new Uint8Array(entries);
  const second = new Uint8Array(entries);
  const count = new Float64Array(entries);
  for (let i = 0, k = 0; i < table.length; i++) {
    if (table[i] === 0) continue;
    first[k] = i >> 8;
    second[k] = i & 255;
    count[k++] = table[i];
  }
  return { pair, channel, first, second, count };
}

/** A channel of a frame, as 8-bit codes. */
export function channelCodes({ data }: Frame, channel: number): Uint8Array {
  const codes = new Uint8Array(data.length / 3);
  const wide = data instanceof Uint16Array;
  for (let p = 0, i = channel; p < codes.length; p++, i += 3) codes[p] = wide ? code8(data[i]) : data[i];
  return codes;
}
