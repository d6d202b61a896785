/**
 * What noise gives of energy in a band, by brightness: measured where the frames show least, since most blocks of most
 * frames of a focus stack are out of focus.
 */
import { percentile } from '../../../model/percentile.js';
import { BANDS, type Band } from './bands.js';
import { blockMeans, blocksOf } from './planes.js';

/** Blocks are of so many pixels a side. */
const BLOCK = 4;
/** Blocks so near to one that is not wholly shown are not judged: bands reach six of their pixels far. */
const APART = 2;
/** Codes of one bin of brightness. */
const BIN = 16;
/** A bin of fewer blocks says nothing. */
const FEWEST = 200;
/** The quietest blocks of a bin, in percent, and how many times their energy counts as noise. */
const QUIET = 10;
const FACTOR = 1.9;
/** Codes that are rounded to 8 bits have at least so much, a band. */
const FLOORS = [0.09, 0.018, 0.006] as const;
/** A frame and band is judged by at most about so many blocks, evenly spread. */
const MOST_BLOCKS = 50_000;
/** No bin has more than so many times the median of the bins: where everything is textured, quiet blocks are, too. */
const MOST = 6;

/** Energy of noise at brightness 0 … 255, one table a band. */
export type NoiseTables = readonly Float32Array[];

/** Collects what the bands of frames show, one frame after the other. */
export class NoiseMeter {
  readonly #energies = Array.from({ length: BANDS }, () =>
    Array.from({ length: 256 / BIN }, (): number[] => []),
  );

  /** @param mask 0 where the frame shows nothing; what stands there is not looked at */
  add(bands: readonly Band[], mask?: Uint8Array): void {
    bands.forEach(({ energy, brightness, width, height }, l) => {
      const means = blockMeans(energy, width, height, BLOCK);
      const light = blockMeans(Float32Array.from(brightness), width, height, BLOCK);
      const hidden = mask && hiddenBlocks(mask, bands[0].width, BLOCK << l, blocksOf(width, BLOCK));
      const step = Math.ceil(means.length / MOST_BLOCKS);
      for (let b = 0; b < means.length; b += step) {
        if (hidden?.[b]) continue;
        this.#energies[l][Math.min(Math.floor(light[b] / BIN), 256 / BIN - 1)].push(means[b]);
      }
    });
  }

  tables(): NoiseTables {
    return this.#energies.map((bins, l) => tableOf(bins, FLOORS[l]));
  }
}

/** 1 for blocks of `side` pixels that are within {@link APART} of one with a pixel that is not shown. */
function hiddenBlocks(mask: Uint8Array, width: number, side: number, columns: number): Uint8Array {
  const rows = Math.ceil(mask.length / width / side);
  const out = new Uint8Array(columns * rows);
  for (let j = 0; j < rows; j++)
    for (let i = 0; i < columns; i++) {
      if (allShown(mask, width, i * side, j * side, side)) continue;
      for (let y = Math.max(0, j - APART); y <= Math.min(rows - 1, j + APART); y++)
        out.fill(1, y * columns + Math.max(0, i - APART), y * columns + Math.min(columns, i + APART + 1));
    }
  return out;
}

function allShown(mask: Uint8Array, width: number, left: number, top: number, side: number): boolean {
  const right = Math.min(width, left + side);
  for (let y = top; y < top + side && y * width < mask.length; y++)
    for (let p = y * width + left; p < y * width + right; p++) if (mask[p] === 0) return false;
  return true;
}

function tableOf(bins: readonly (readonly number[])[], floor: number): Float32Array {
  const quiet = (values: ArrayLike<number>) =>
    values.length === 0 ? floor : Math.max(floor, FACTOR * percentile(Float32Array.from(values), QUIET));
  const known = bins.flatMap((values, b) =>
    values.length < FEWEST ? [] : [{ at: (b + 0.5) * BIN, noise: quiet(values) }],
  );
  if (known.length === 0) return new Float32Array(256).fill(quiet(bins.flat()));
  const ceiling =
    MOST *
    percentile(
      Float32Array.from(known, (k) => k.noise),
      50,
    );
  return Float32Array.from({ length: 256 }, (_, code) => Math.min(ceiling, interpolated(known, code)));
}

function interpolated(
  known: readonly { readonly at: number; readonly noise: number }[],
  code: number,
): number {
  const next = known.findIndex((k) => k.at >= code);
  if (next === 0) return known[0].noise;
  if (next < 0) return known[known.length - 1].noise;
  const [a, b] = [known[next - 1], known[next]];
  return a.noise + ((b.noise - a.noise) * (code - a.at)) / (b.at - a.at);
}
