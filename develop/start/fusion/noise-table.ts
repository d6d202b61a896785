/**
 * What noise gives of energy in a band, by brightness: measured where the frames show least, since most blocks of most
 * frames of a focus stack are out of focus.
 */
import { percentile } from '../../../model/percentile.js';
import { BANDS, type Band } from './bands.js';
import { blockMeans } from './planes.js';

/** Blocks are of so many pixels a side. */
const BLOCK = 4;
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

  add(bands: readonly Band[]): void {
    bands.forEach(({ energy, brightness, width, height }, l) => {
      const means = blockMeans(energy, width, height, BLOCK);
      const light = blockMeans(Float32Array.from(brightness), width, height, BLOCK);
      const step = Math.ceil(means.length / MOST_BLOCKS);
      for (let b = 0; b < means.length; b += step) {
        this.#energies[l][Math.min(Math.floor(light[b] / BIN), 256 / BIN - 1)].push(means[b]);
      }
    });
  }

  tables(): NoiseTables {
    return this.#energies.map((bins, l) => tableOf(bins, FLOORS[l]));
  }
}

function tableOf(bins: readonly (readonly number[])[], floor: number): Float32Array {
  const quiet = (values: ArrayLike<number>) =>
    Math.max(floor, FACTOR * percentile(Float32Array.from(values), QUIET));
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
