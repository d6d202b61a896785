import { describe, expect, test } from 'vitest';
import { RandomStream, Stream } from '../../../model/philox.js';
import { type Band, bandEnergy } from './bands.js';
import { NoiseMeter } from './noise-table.js';

const WIDTH = 160;
const HEIGHT = 120;

/** A frame of one grey with normal noise of a standard deviation in codes, in each channel its own. */
function noisy(grey: number, sigma: number, seed = 1): Float32Array {
  const random = new RandomStream(seed, Stream.scene);
  return Float32Array.from({ length: 3 * WIDTH * HEIGHT }, () => {
    // Box and Muller's way to a normal number.
    const radius = Math.sqrt(-2 * Math.log(1 - random.unit()));
    return grey + sigma * radius * Math.cos(2 * Math.PI * random.unit());
  });
}

/** Tables of some frames. */
function tablesOf(...frames: Float32Array[]) {
  const meter = new NoiseMeter();
  for (const frame of frames) meter.add(bandEnergy(frame, WIDTH, HEIGHT));
  return meter.tables();
}

const mean = ({ energy }: Band) => energy.reduce((sum, v) => sum + v, 0) / energy.length;

describe('the energy of noise', () => {
  test.each([1, 3, 8])('of flat frames tells their noise of %d codes to 30 percent', (sigma) => {
    const tables = tablesOf(noisy(120, sigma));
    // What noise of one code leaves in each band.
    bandEnergy(noisy(120, 1, 2), WIDTH, HEIGHT).forEach((band, l) => {
      const found = Math.sqrt(tables[l][120] / mean(band));
      expect(found / sigma).toBeGreaterThan(0.7);
      expect(found / sigma).toBeLessThan(1.3);
    });
  });

  test('is not taken from what is textured, as long as a part of the frames is not', () => {
    const flat = noisy(120, 2);
    const textured = flat.map((v, i) => v + 40 * Math.sin(i / 2) * Math.cos(i / 777));
    const alone = tablesOf(flat);
    const both = tablesOf(flat, textured);
    for (const l of [0, 1, 2]) expect(both[l][120] / alone[l][120]).toBeLessThan(1.6);
  });

  test('differs with brightness where it does in the frames', () => {
    const [table] = tablesOf(noisy(40, 2), noisy(200, 6));
    expect(table[200] / table[40]).toBeGreaterThan(6);
    expect(table[200] / table[40]).toBeLessThan(12);
    expect(table[120]).toBeGreaterThan(table[40]);
    expect(table[120]).toBeLessThan(table[200]);
  });

  test('is not taken from where a frame shows nothing', () => {
    const whole = noisy(120, 4);
    const shown = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, p) => (p % WIDTH < 60 ? 0 : 1));
    // As bright as the rest, and still.
    const cut = whole.map((v, i) => (shown[Math.floor(i / 3)] === 0 ? 121 : v));
    const meter = new NoiseMeter();
    meter.add(bandEnergy(cut, WIDTH, HEIGHT), shown);
    const expected = tablesOf(whole);
    meter.tables().forEach((table, l) => {
      expect(table[120] / expected[l][120]).toBeGreaterThan(0.8);
      expect(table[120] / expected[l][120]).toBeLessThan(1.25);
    });
    // Without its mask it would be.
    expect(tablesOf(cut)[0][120]).toBeLessThan(0.1 * expected[0][120]);
  });

  test('has its floor where no frame shows anything', () => {
    const meter = new NoiseMeter();
    meter.add(bandEnergy(noisy(120, 4), WIDTH, HEIGHT), new Uint8Array(WIDTH * HEIGHT));
    expect(meter.tables()[0][120]).toBe(Math.fround(0.09));
  });

  test('is never less than rounding makes', () => {
    const tables = tablesOf(noisy(120, 0));
    expect(tables.map((t) => t[120])).toEqual([0.09, 0.018, 0.006].map(Math.fround));
  });
});
