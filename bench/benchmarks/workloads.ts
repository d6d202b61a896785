import type { SceneData } from '../../engine/engine.js';
import { kernelRadius } from '../../model/camera/lens-kernel.js';
import { configSchema, type ModelConfig } from '../../model/config.js';
import { atlasWidths, freeBlurWidths, mapWidths } from '../../model/layout.js';
import { RandomStream, Stream } from '../../model/philox.js';
import { type Capture, createPlan, type Plan } from '../../model/plan.js';
import { presetConfig } from '../../model/presets.js';

/**
 * The workloads of `bench step`: what the presets train at standard quality; and W, the paper's camera on a hash grid,
 * 8192 pixels × 9 taps, which no preset trains and earlier figures were taken with.
 */
export const WORKLOADS = ['focus-exposure', 'exposure', 'neucam', 'W'] as const;
export type Workload = (typeof WORKLOADS)[number];

export interface Work {
  readonly plan: Plan;
  readonly data: SceneData;
  /** Floating-point operations a step: of the networks, the tone mapper and the spread alone. */
  readonly flop: number;
  /** Bytes that a device's kernels for networks and grids read and write a step, each value once a kernel. */
  readonly bytes: number;
}

/** As the sample captures have them: pixels, stops, focus settings, and the widest circle of confusion in pixels. */
const [WIDTH, HEIGHT] = [450, 300];
const STOPS = [-3, 0, 3];
const FOCUS = [1, 0, -1];
const WIDEST = 6.2;

/** @param train another batch than the preset's, for tests that have no time for all of it */
export function workOf(workload: Workload, train: Partial<ModelConfig['train']> = {}): Work {
  const capture = captureOf(workload);
  const chosen = configOf(workload, capture);
  const config = configSchema.parse({ ...chosen, train: { ...chosen.train, ...train } });
  const plan = createPlan(capture, config, 1);
  const data = dataOf(plan);
  return { plan, data, flop: flopOf(plan, data), bytes: bytesOf(plan) };
}

function captureOf(workload: Workload): Capture {
  if (workload === 'W') {
    const frame = { focus: 0, exposure: 0, ev: 0, aperture: 1 };
    return { width: WIDTH, height: WIDTH, frames: [frame], focus: [0], kappa: 1 };
  }
  const focus = workload === 'exposure' ? [0] : FOCUS;
  return {
    width: WIDTH,
    height: HEIGHT,
    frames: focus.flatMap((_, setting) =>
      STOPS.map((ev, exposure) => ({ focus: setting, exposure, ev, aperture: 1 })),
    ),
    focus,
    // What lies nearest is two focus units from the farthest setting.
    kappa: WIDEST / 2,
  };
}

function configOf(workload: Workload, capture: Capture): ModelConfig {
  if (workload !== 'W') {
    return presetConfig(workload, 'standard', {
      pixels: capture.width * capture.height,
      focusSettings: capture.focus.length,
      exposureSettings: STOPS.length,
      widestCircle: capture.focus.length > 1 ? WIDEST : 0,
      moved: false,
      kept: 0,
      exposuresKnown: true,
    });
  }
  return configSchema.parse({
    atlas: { form: 'hash', levels: 16, base: 16, finest: 1, log2Table: 16, hidden: [64, 64] },
    residual: false,
    blur: { form: 'free', taps: 9, hidden: [64, 64, 64], maxShift: 10 },
    tone: { form: 'mlp', hidden: 128 },
    exposure: 'known',
    loss: { slope: false, sharpness: 0, inequality: false },
    train: { pixels: 8192, rates: { atlasGrid: 1e-3, atlasMlp: 1e-3 } },
  });
}

/** Frames of noise; a start for the networks that correct one: waves on a plane that slants from far to near. */
function dataOf({ capture, config }: Plan): SceneData {
  const { width, height } = capture;
  const pixels = width * height;
  const random = new RandomStream(1, Stream.scene);
  const frames = capture.frames.map(() => ({
    data: Uint8Array.from({ length: 3 * pixels }, () => random.word() & 255),
  }));
  if (!config.residual) return { frames };
  const lens = config.blur.form === 'lens';
  return {
    frames,
    start: {
      radiance: Float32Array.from({ length: 3 * pixels }, (_, i) => -3 + 2 * Math.sin(i * 0.37)),
      defocus: Float32Array.from({ length: lens ? pixels : 0 }, (_, i) => ((i % width) / width) * 2 - 1),
    },
  };
}

/** How often a step evaluates each network. */
function evaluations({ capture, config }: Plan): { atlas: number; map: number; blur: number; tone: number } {
  const { blur, train } = config;
  if (blur.form === 'lens') {
    const samples = train.patches * (blur.patch + 2 * blur.reach) ** 2;
    const seen = train.patches * blur.patch ** 2;
    return { atlas: samples, map: samples, blur: 0, tone: seen * capture.frames.length };
  }
  const views = train.pixels * capture.focus.length;
  const tone = train.pixels * capture.frames.length;
  return blur.form === 'free'
    ? { atlas: views * blur.taps, map: 0, blur: views, tone }
    : { atlas: views, map: 0, blur: 0, tone };
}

const weights = (widths: readonly number[]) =>
  widths.slice(1).reduce((sum, out, l) => sum + out * widths[l], 0);

/**
 * 2 · (3 · Σ evaluations · weights + spread): a network's products are made three times, forward, for the gradient of
 * its inputs and for that of its weights. Sines, exponentials, grids and the knots' look-ups are not counted.
 */
function flopOf(plan: Plan, { start }: SceneData): number {
  const { config } = plan;
  const { blur, tone, train } = config;
  const times = evaluations(plan);
  const products =
    times.atlas * weights(atlasWidths(config)) +
    times.map * weights(mapWidths(config)) +
    times.blur * weights(freeBlurWidths(config)) +
    (tone.form === 'mlp' ? times.tone * 3 * weights([1, tone.hidden, 1]) : 0);
  const spread =
    blur.form === 'lens'
      ? train.patches * blur.patch ** 2 * spreadProducts(plan.capture, start!.defocus, blur.reach)
      : 0;
  return 2 * (3 * products + spread);
}

/**
 * Products of the lens at one pixel in all views, the mean of a row: each source whose disk reaches the pixel gives
 * four sums (its weight and three channels) and gets four gradients back; where the disk's edge lies on the pixel, four
 * more for the gradient of its radius. docs/reference/MODEL.md, "lens".
 */
function spreadProducts({ width, focus, kappa }: Capture, defocus: Float32Array, reach: number): number {
  let products = 0;
  for (const f of focus) {
    for (const s of defocus.subarray(0, width)) {
      const rho = kernelRadius(Math.min(Math.abs(kappa * (s - f)), reach - 0.6));
      for (let dy = -reach; dy <= reach; dy++)
        for (let dx = -reach; dx <= reach; dx++) {
          const inside = rho + 0.5 - Math.hypot(dx, dy);
          if (inside > 0) products += 4 * (inside < 1 ? 3 : 2);
        }
    }
  }
  return products / width;
}

function bytesOf(plan: Plan): number {
  const { config, layout } = plan;
  const times = evaluations(plan);
  const sine = config.atlas.form === 'siren';
  return (
    traffic(atlasWidths(config), layout.atlasLevels.length, times.atlas, sine) +
    traffic(mapWidths(config), layout.mapLevels.length, times.map) +
    traffic(freeBlurWidths(config), 0, times.blur)
  );
}

/** Bytes of a network on a grid of so many levels, forward and back. */
function traffic(widths: readonly number[], levels: number, samples: number, sine = false): number {
  let floats = 0;
  for (let l = 1; l < widths.length; l++) {
    const [from, to] = [widths[l - 1], widths[l]];
    // Forward; gradient of the weights; gradient of the inputs, which reads what it masks.
    floats += from + to + (from + to) + (l > 1 ? to + 2 * from : to + from);
    // A sine in a kernel of its own: in place, and its slope.
    if (sine && l < widths.length - 1) floats += 3 * to;
  }
  // A level: four nodes of two numbers and two features; back, two features and sums of 64 bits, read and written.
  floats += levels * (4 * 2 + 2 + 2 + 4 * 2 * 2 * 2);
  return 4 * floats * samples;
}
