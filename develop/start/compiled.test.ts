import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { framesOf } from '../../bench/benchmarks/frames.js';
import { renderCapture } from '../../bench/samples/capture.js';
import { describeNative } from '../../engine/engines.fixture.js';
import { nativeIsas } from '../../engine/native/native-engine.js';
import { distanceTable } from '../../model/camera/spread.js';
import { RandomStream, Stream } from '../../model/philox.js';
import { createPicture } from '../../model/picture.js';
import { prepare } from '../prepare.js';
import type { FeatureLevel } from './align/features.js';
import type { Homography } from './align/homography.js';
import { startKernels } from './compiled.js';
import { MAXIMUM_COST } from './depth/semi-global.js';
import { BLOCK, type SweepPlanes } from './depth/sweep-loops.js';
import { WEIGHTS } from './edges/layers.js';
import { emptySums, type FusionSums, fusionTerms } from './fusion/sums.js';
import { portableKernels, type StartKernels } from './kernels.js';
import { srgbResponse } from './response/response.js';

/**
 * The start's inner loops as the core does them are those that TypeScript defines, bit for bit, on any number of
 * threads. Sizes on both sides of what is worth sharing; radii wider than the picture; odd ones out.
 */
const SIZES = [
  [131, 97],
  [97, 131],
  [23, 11],
  [5, 40],
] as const;

/** Some of everything, drawn in the same order for every kernel. */
class Draws {
  private readonly random = new RandomStream(7, Stream.scene);
  constructor(
    readonly width: number,
    readonly height: number,
  ) {}

  get pixels() {
    return this.width * this.height;
  }
  floats(low: number, high: number, count = this.pixels) {
    return Float32Array.from({ length: count }, () => low + (high - low) * this.random.unit());
  }
  doubles(low: number, high: number, count: number) {
    return Float64Array.from({ length: count }, () => low + (high - low) * this.random.unit());
  }
  whole(most: number, count = this.pixels) {
    return Array.from({ length: count }, () => Math.floor(this.random.unit() * (most + 1)));
  }
  logs(): [Int16Array, Int16Array] {
    const plane = () => Int16Array.from(this.whole(12_000), (v) => v - 8000);
    return [plane(), plane()];
  }
  /** Smooth light with detail, and trust with holes. */
  level(shift: number): FeatureLevel {
    const { width, height } = this;
    const value = this.floats(0, 0.1).map((v, p) => {
      const [x, y] = [(p % width) + shift, Math.floor(p / width)];
      return v + 0.4 + 0.3 * Math.sin(x / 3) * Math.cos(y / 4 + x / 9);
    });
    const trust = this.floats(-0.2, 1.2).map((v) => Math.min(1, Math.max(0, v)));
    return { width, height, scale: 2, value, trust };
  }
}

/** Every kernel on the same draws: what it returns or fills. */
const CASES: Record<string, (kernels: StartKernels, draws: Draws) => unknown> = {
  boxMean: (k, d) => {
    const plane = d.floats(-3, 5);
    const { width, height } = d;
    const own = plane.slice();
    k.boxMean(own, width, height, 6, own);
    return [own, ...[0, 1, 2, 7, 60].map((radius) => k.boxMean(plane, width, height, radius))];
  },
  gaussian: (k, d) => {
    const plane = d.floats(-3, 5);
    const { width, height } = d;
    const own = plane.slice();
    k.gaussian(own, width, height, 1, own);
    return [own, ...[0.01, 0.5, 1, 2.5, 3, 5].map((sigma) => k.gaussian(plane, width, height, sigma))];
  },
  medianFilter: (k, d) => {
    const plane = Float32Array.from(d.whole(9));
    return ([3, 5] as const).map((size) => k.medianFilter(plane, d.width, d.height, size));
  },
  channelLight: (k, d) => {
    const { width, height } = d;
    const picture = { width, height, channels: 3, data: d.floats(-40, 12, 3 * d.pixels) };
    picture.data[5] = -200;
    picture.data[7] = 100;
    return [0, 1, 2].map((c) => [
      k.channelLight(picture, c, 0, width, height),
      k.channelLight(picture, c, 0.3, Math.ceil(width / 2.7), Math.ceil(height / 1.3)),
    ]);
  },
  mergeChannel: (k, d) => {
    const { width, height } = d;
    const masks = [undefined, Uint8Array.from(d.whole(3)), Uint8Array.from(d.whole(3))];
    const frames = [0, 60, -70].map((brighter, e) => ({
      name: `frame ${e}`,
      width,
      height,
      camera: {},
      data: Uint8Array.from(d.whole(255, 3 * d.pixels), (v) => Math.min(255, Math.max(0, v + brighter))),
    }));
    const all = frames.flatMap((frame) => [frame, frame, frame]).slice(0, 8);
    return [1, 2, 3, 7, 8].map((count) => {
      const radiance = createPicture(width, height, 3);
      const stack = count > 3 ? all.slice(0, count) : frames.slice(0, count);
      const ev = stack.map((_, e) => 1.3 * e - 1.5);
      k.mergeChannel(stack, srgbResponse(), ev, 1, count > 3 ? undefined : masks, radiance, undefined);
      return radiance.data;
    });
  },
  shrinkDetail: (k, d) => {
    const plane = d.floats(-3, 5);
    const variance = d.floats(-1, 2).map((v) => Math.max(v, 0));
    // Where all is the same, too.
    plane.fill(1, 0, plane.length >> 1);
    return k.shrinkDetail(plane, d.width, d.height, variance);
  },
  diskBlur: (k, d) => {
    const plane = d.floats(0, 9);
    return [0, 0.3, 0.8, 1.2, 1.7, 2.6, 4, 9, 15.9, 17].map((c) => k.diskBlur(plane, d.width, d.height, c));
  },
  quantisedLog: (k, d) =>
    k.quantisedLog(
      d.floats(0, 2).map((v) => v ** 8),
      1e-4,
    ),
  scoreShifts: (k, d) => k.scoreShifts(d.level(0), d.level(2), 4, 3),
  compare: (k, d) => {
    const [a, b] = [d.level(0), d.level(1)];
    const extent = { width: 2 * d.width, height: 2 * d.height };
    const tilted: Homography = [1.01, 0.02, 0.03, -0.01, 0.99, -0.02, 0.01, -0.02, 1];
    const far: Homography = [1, 0, 3, 0, 1, 0, 0, 0, 1];
    return [[1, 0, 0, 0, 1, 0, 0, 0, 1] as Homography, tilted, far].map((m) => k.compare(a, b, m, extent));
  },
  addDifferences: (k, d) => {
    const planes = [0, 1, 2].map((): SweepPlanes => [...d.logs(), ...d.logs()]);
    const sum = Int32Array.from(d.whole(5000));
    const start = Int32Array.from({ length: Math.floor(d.pixels / 7) }, (_, i) => 7 * i);
    const end = start.map((p, i) => p + (i % 8));
    const source = Uint8Array.from(start, (_, i) => i % 3);
    const [fractions, priors] = [Int32Array.of(0, 64, 31), Int32Array.of(0, 3, 90)];
    k.addDifferences(d.logs(), planes, fractions, priors, { start, end, source }, sum);
    return sum;
  },
  storeCosts: (k, d) => {
    const cost = new Uint16Array(3 * d.pixels);
    const [sum, trust] = [Int32Array.from(d.whole(12_000)), d.floats(0, 0.5)];
    for (const [label, window] of [0, 1, 4].entries())
      k.storeCosts(sum, trust, d.width, d.height, window, cost, label, 3);
    return cost;
  },
  blockDifferences: (k, d) => {
    const ladder = [d.logs(), d.logs(), d.logs()];
    const pixels = Int32Array.from(d.whole(d.pixels - 1, 150 * BLOCK * BLOCK));
    const valid = Uint8Array.from(d.whole(1));
    const view = d.logs();
    return [undefined, valid].map((mask) => k.blockDifferences(view, mask, ladder, pixels, 9));
  },
  sumLowest: (k, d) => {
    const [views, blocks, places, depths] = [3, 900, 9, 11];
    const differences = Array.from({ length: views }, () => d.floats(0, 4e4, places * blocks));
    const sources = Uint8Array.from(d.whole(views - 1, blocks));
    const offsets = Int32Array.from(d.whole(places - 1, depths * views * views), (v) => v * blocks);
    return k.sumLowest(differences, sources, d.doubles(0, 500, depths * views), offsets);
  },
  aggregatePaths: (k, d) =>
    [1, 7, 8, 29].map((labels) => {
      const cost = Uint16Array.from(d.whole(MAXIMUM_COST, d.pixels * labels));
      const p2 = Uint16Array.from(d.whole(MAXIMUM_COST - 150), (v) => v + 150);
      const { width, height } = d;
      return k.aggregatePaths({ width, height, labels, cost }, 150, p2);
    }),
  spreadSources: (k, d) => {
    const { width, height } = d;
    const radii = d.floats(0.5, 6.5);
    const [density, light] = [d.doubles(0, 1, d.pixels), d.doubles(0, 3, 3 * d.pixels)];
    const part = { x: 1, y: 2, width: width - 2, height: height - 3 };
    const sources = { width, height, radii, density, light };
    return [k.spreadSources(sources, 7, { x: 0, y: 0, width, height }), k.spreadSources(sources, 7, part)];
  },
  bandEnergy: (k, d) => k.bandEnergy(d.floats(-3, 300, 3 * d.pixels), d.width, d.height),
  addToFusion: (k, d) => fusion(k, d),
  fusedCodes: (k, d) => k.fusedCodes(fusion(k, d)),
  edgePart: (k, d) => edgesOf(k, d),
};

/** Three frames of noise that grows and falls over the picture, the second with holes. */
function fusion(kernels: StartKernels, d: Draws): FusionSums {
  const { width, height } = d;
  const frames = [0, 1, 2].map((f) => {
    const noise = d.floats(0, 1, 3 * d.pixels);
    return noise.map((v, i) => 100 + 50 * f + v * 80 * Math.abs(Math.sin(f + ((i / 3) % width) / 20)));
  });
  const tables = [0.4, 0.1, 0.02].map((v) => d.floats(v, 3 * v, 256));
  const mask = Uint8Array.from(d.whole(9), (v) => (v === 0 ? 0 : 1));
  const sums = emptySums(width, height);
  frames.forEach((codes, index) => {
    kernels.addToFusion(sums, codes, index === 1 ? mask : undefined, index, fusionTerms(tables));
  });
  return sums;
}

/** The network at depth edges with any weights, on a part that reaches beyond the picture. */
function edgesOf(k: StartKernels, d: Draws): Float32Array {
  const { width, height } = d;
  const views = [0, 1, 2].map(() => d.floats(-9, 3, 3 * d.pixels));
  const gains = d.doubles(-0.5, 0.5, 9);
  const input = { width, height, views, gains, spans: [4.4, -2.7] as const, levels: 2 };
  return k.edgePart(d.floats(-0.09, 0.09, WEIGHTS), input, { x: -8, y: 16, width: 40, height: 16 });
}

/** Arrays by their bytes, so that −0 is not 0 and NaN is NaN. */
function bitsOf(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteOffset, byteLength } = value;
    return createHash('sha256')
      .update(new Uint8Array(buffer, byteOffset, byteLength))
      .digest('hex');
  }
  if (Array.isArray(value)) return value.map(bitsOf);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, bitsOf(entry)]));
  }
  return Object.is(value, -0) ? '-0' : value;
}

describeNative('the compiled inner loops of the start', () => {
  const teams = [1, 2, 3].map((threads) => startKernels(threads));

  test.each(Object.keys(CASES) as (keyof StartKernels)[])('%s', (name) => {
    for (const [width, height] of SIZES) {
      const expected = bitsOf(CASES[name](portableKernels, new Draws(width, height)));
      for (const kernels of teams) {
        expect(kernels[name]).not.toBe(portableKernels[name]);
        expect(bitsOf(CASES[name](kernels, new Draws(width, height)))).toEqual(expected);
      }
    }
  });

  test('the network at depth edges gives the same bits with every instruction set', () => {
    const [width, height] = SIZES[0];
    const expected = bitsOf(edgesOf(teams[1], new Draws(width, height)));
    for (const isa of nativeIsas().filter((name) => name !== 'f64')) {
      expect(bitsOf(edgesOf(startKernels(2, isa), new Draws(width, height)))).toEqual(expected);
    }
    expect(() => startKernels(1, 'none')).toThrow('no such instruction set');
  });

  test('every kernel is tried', () => {
    expect(Object.keys(CASES).sort()).toEqual(Object.keys(portableKernels).sort());
  });

  test('refuse arrays that do not fit', () => {
    const kernels = teams[1];
    expect(() => kernels.boxMean(new Float32Array(12), 4, 4, 1)).toThrow('wrong length');
    const cost = new Uint16Array(4);
    expect(() => kernels.storeCosts(new Int32Array(4), new Float32Array(4), 2, 2, 1, cost, 1, 1)).toThrow(
      'no such label',
    );
  });

  test('a hand-held capture is prepared to the same bits', async () => {
    const capture = renderCapture({ width: 144, height: 96, focus: 3, exposures: 2, motion: 'hand' });
    const outcome = async (kernels: StartKernels) => {
      const options = { startKernels: kernels };
      const { data, config, capture: facts, notes } = await prepare(framesOf(capture), options);
      return bitsOf({ data, config, facts, notes });
    };
    expect(await outcome(teams[1])).toEqual(await outcome(portableKernels));
  });
});

test('distances are of whole pixels', () => {
  expect(Array.from(distanceTable(2))).toEqual(
    [0, 1, 2, 1, Math.SQRT2, Math.sqrt(5), 2, Math.sqrt(5), Math.sqrt(8)].map(Math.fround),
  );
});
