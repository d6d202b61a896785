import type { SceneData } from '../../engine/engine.js';
import { kernelRadius } from '../../model/camera/lens-kernel.js';
import { configSchema } from '../../model/config.js';
import { atlasWidths, freeBlurWidths, mapWidths } from '../../model/layout.js';
import { RandomStream, Stream } from '../../model/philox.js';
import { type Capture, createPlan, type Plan } from '../../model/plan.js';

/**
 * The workloads of `bench step`. W: the paper's camera on a hash grid, 8192 pixels × 9 taps. P: the default, 16 patches of
 * 16² with halo 6 in 9 frames, two layers.
 */
export type Workload = 'W' | 'P';

export interface Work {
  readonly plan: Plan;
  readonly data: SceneData;
  /** Floating-point operations a step: of the networks, the tone mapper and the spread alone. */
  readonly flop: number;
  /** Bytes that a device's kernels for networks and grids read and write a step, each value once a kernel. */
  readonly bytes: number;
}

const weights = (widths: readonly number[]) =>
  widths.slice(1).reduce((sum, out, l) => sum + out * widths[l]!, 0);

function frames(count: number, pixels: number): SceneData['frames'] {
  const random = new RandomStream(1, Stream.scene);
  return Array.from({ length: count }, () => ({
    data: Uint8Array.from({ length: 3 * pixels }, () => random.word() & 255),
  }));
}

export const workOf = (workload: Workload): Work => (workload === 'W' ? workW() : workP());

function workW(): Work {
  const side = 450;
  const config = configSchema.parse({
    atlas: { form: 'hash', levels: 16, base: 16, finest: 1, log2Table: 16, hidden: [64, 64] },
    residual: false,
    blur: { form: 'free', taps: 9, hidden: [64, 64, 64], maxShift: 10 },
    tone: { form: 'mlp', hidden: 128 },
    exposure: 'known',
    loss: { slope: false, sharpness: 0, inequality: false },
    train: { pixels: 8192, rates: { atlasGrid: 1e-3, atlasMlp: 1e-3 } },
  });
  const capture: Capture = {
    width: side,
    height: side,
    frames: [{ focus: 0, exposure: 0, ev: 0, aperture: 1 }],
    focus: [0],
    kappa: 1,
  };
  const plan = createPlan(capture, config, 1);
  // Forward, gradient of the inputs, gradient of the weights: three products of each.
  const perPixel = 9 * weights(atlasWidths(config)) + weights(freeBlurWidths(config)) + 3 * 2 * 128;
  const { pixels } = config.train;
  return {
    plan,
    data: { frames: frames(1, side * side) },
    flop: 2 * 3 * perPixel * pixels,
    bytes:
      traffic(atlasWidths(config), plan.layout.atlasLevels.length, 9 * pixels) +
      traffic(freeBlurWidths(config), 0, pixels),
  };
}

function workP(): Work {
  const [width, height, reach] = [450, 300, 6];
  const config = configSchema.parse({
    layers: 2,
    blur: { form: 'lens', render: 'patches', patch: 16, reach },
    train: { patches: 16 },
  });
  const settings = [-1, 0, 1];
  const capture: Capture = {
    width,
    height,
    frames: settings.flatMap((_, focus) =>
      [-3, 0, 3].map((ev, exposure) => ({ focus, exposure, ev, aperture: 1 })),
    ),
    focus: settings,
    kappa: 2.3,
  };
  const plan = createPlan(capture, config, 1);
  const pixels = width * height;
  const radiance = Float32Array.from({ length: 7 * pixels }, (_, i) => -3 + 2 * Math.sin(i * 0.37));
  // Slanted planes: circles of confusion from 0 to 4.6 pixels, as in the sample captures.
  const defocus = Float32Array.from({ length: 2 * pixels }, (_, i) => ((i % width) / width) * 2 - 1);
  const side = 16 + 2 * reach;
  const network = weights(atlasWidths(config)) + weights(mapWidths(config));
  const spread = spreadPairs(plan, defocus, reach) * 16 * 16 * (4 + 5) * 3;
  return {
    plan,
    data: { frames: frames(9, pixels), start: { radiance, defocus } },
    flop: 16 * (2 * 3 * network * side * side + 2 * spread),
    bytes:
      traffic(atlasWidths(config), plan.layout.atlasLevels.length, 16 * side * side) +
      traffic(mapWidths(config), plan.layout.mapLevels.length, 16 * side * side),
  };
}

/** Bytes of a network on a grid of so many levels, forward and back. */
function traffic(widths: readonly number[], levels: number, samples: number): number {
  let floats = 0;
  for (let l = 1; l < widths.length; l++) {
    const [from, to] = [widths[l - 1]!, widths[l]!];
    // Forward; gradient of the weights; gradient of the inputs, which reads what it masks.
    floats += from + to + (from + to) + (l > 1 ? to + 2 * from : to + from);
  }
  // A level: four nodes of two numbers and two features; back, two features and sums of 64 bits, read and written.
  floats += levels * (4 * 2 + 2 + 2 + 4 * 2 * 2 * 2);
  return 4 * floats * samples;
}

/** Mean number of sources whose disk reaches a pixel, over all views. */
function spreadPairs(plan: Plan, defocus: Float32Array, reach: number): number {
  const { capture } = plan;
  let sum = 0;
  for (const f of capture.focus) {
    for (let x = 0; x < capture.width; x++) {
      const circle = Math.abs(capture.kappa * (defocus[x]! - f));
      const rho = kernelRadius(Math.min(circle, reach - 0.6));
      for (let dy = -reach; dy <= reach; dy++)
        for (let dx = -reach; dx <= reach; dx++) if (Math.hypot(dx, dy) < rho + 0.5) sum++;
    }
  }
  return sum / capture.width;
}
