import { atlasWidths, findGroup, freeBlurWidths, mapWidths } from './layout.js';
import { RandomStream, Stream } from './philox.js';
import type { Plan } from './plan.js';

/** What the classical start knows of the camera: the response at the knots, [3][knots] in [0, 1], ascending. */
export interface ToneStart {
  readonly curves: readonly ArrayLike<number>[];
}

/** An sRGB-like response for captures that tell nothing of theirs. */
export function defaultTone(knots: number, low: number): ToneStart {
  const curve = Array.from({ length: knots }, (_, j) => {
    const x = Math.exp(low - (low * j) / (knots - 1));
    return x <= 0.0031308 ? 12.92 * x : 1.055 * x ** (1 / 2.4) - 0.055;
  });
  const [first, last] = [curve[0], curve.at(-1)!];
  const normal = curve.map((v) => (v - first) / (last - first));
  return { curves: [normal, normal, normal] };
}

/**
 * Start values of every parameter of a plan: a pure function of plan (with its seed) and classical start. With `shards`,
 * other shards' own groups are left at zero, and their memory untouched.
 */
export function initialParameters(plan: Plan, tone?: ToneStart, shards?: readonly number[]): Float32Array {
  const { config, layout } = plan;
  const parameters = new Float32Array(layout.size);
  for (const [index, group] of layout.groups.entries()) {
    if (shards && group.scope !== 'shared' && !shards.includes(group.scope.shard)) continue;
    const run = parameters.subarray(group.offset, group.offset + group.size);
    const random = new RandomStream(plan.seed, Stream.initial, index);
    if (group.sparse) for (let i = 0; i < run.length; i++) run[i] = (random.unit() * 2 - 1) * 1e-4;
  }
  const run = (name: string) => {
    const group = findGroup(layout, name);
    return group ? parameters.subarray(group.offset, group.offset + group.size) : undefined;
  };
  const stream = (name: string) =>
    new RandomStream(
      plan.seed,
      Stream.initial,
      layout.groups.findIndex((g) => g.name === name),
    );

  const atlas = run('atlas.mlp')!;
  if (config.atlas.form === 'siren')
    initSiren(atlas, atlasWidths(config), config.atlas.omega, stream('atlas.mlp'));
  else initMlp(atlas, atlasWidths(config), stream('atlas.mlp'), config.residual);
  const map = run('map.mlp');
  if (map) initMlp(map, mapWidths(config), stream('map.mlp'), true);
  const blur = run('blur.mlp');
  if (blur) initMlp(blur, freeBlurWidths(config), stream('blur.mlp'), false);
  initTone(plan, run('tone')!, tone);
  initCamera(plan, run);
  return parameters;
}

/** Uniform ±1/√in for weights and biases; with `quiet` the last layer is zero, so that training starts from the start. */
function initMlp(out: Float32Array, widths: readonly number[], random: RandomStream, quiet: boolean): void {
  let at = 0;
  for (let l = 1; l < widths.length; l++) {
    const [inputs, outputs] = [widths[l - 1], widths[l]];
    const bound = quiet && l === widths.length - 1 ? 0 : 1 / Math.sqrt(inputs);
    for (let i = 0; i < outputs * (inputs + 1); i++) out[at++] = (random.unit() * 2 - 1) * bound;
  }
}

/** SIREN initialisation (Sitzmann et al., NeurIPS 2020): ±1/in first, then ±√(6/in)/ω. */
function initSiren(out: Float32Array, widths: readonly number[], omega: number, random: RandomStream): void {
  let at = 0;
  for (let l = 1; l < widths.length; l++) {
    const [inputs, outputs] = [widths[l - 1], widths[l]];
    const bound = l === 1 ? 1 / inputs : Math.sqrt(6 / inputs) / omega;
    for (let i = 0; i < outputs * inputs; i++) out[at++] = (random.unit() * 2 - 1) * bound;
    for (let i = 0; i < outputs; i++) out[at++] = (random.unit() * 2 - 1) / Math.sqrt(inputs);
  }
}

function initTone(plan: Plan, out: Float32Array, start?: ToneStart): void {
  const { tone } = plan.config;
  const knots = tone.form === 'knots' ? tone.knots : 40;
  const low = tone.form === 'knots' ? tone.low : -9;
  const { curves } = start ?? defaultTone(knots, low);
  for (let c = 0; c < 3; c++) {
    const curve = curves[c];
    if (tone.form === 'knots') {
      for (let j = 1; j < knots; j++) {
        out[c * (knots - 1) + j - 1] = Math.log(Math.max(1e-5, curve[j] - curve[j - 1]));
      }
    } else {
      initToneMlp(out.subarray(c * (3 * tone.hidden + 1)), tone.hidden, curve, low);
    }
  }
}

/** Hinges spread over the curve's range with the slope changes of ½·logit(curve) as weights: a close start, no fitting. */
function initToneMlp(out: Float32Array, hidden: number, curve: ArrayLike<number>, low: number): void {
  const high = 1;
  const at = (u: number) => {
    const x = Math.min(curve.length - 1.001, Math.max(0, (1 - u / low) * (curve.length - 1)));
    const i = Math.floor(x);
    const y = Math.min(0.995, Math.max(0.005, curve[i] + (x - i) * (curve[i + 1] - curve[i])));
    return 0.5 * Math.log(y / (1 - y));
  };
  const step = (high - low) / hidden;
  let slope = 0;
  for (let j = 0; j < hidden; j++) {
    const u = low + j * step;
    const next = (at(u + step) - at(u)) / step;
    out[j] = 1;
    out[hidden + j] = -u;
    out[2 * hidden + j] = next - slope;
    slope = next;
  }
  out[3 * hidden] = at(low);
}

function initCamera(plan: Plan, run: (name: string) => Float32Array | undefined): void {
  const exposure = run('exposure');
  if (exposure && plan.exposures.squash > 0) {
    const { squash } = plan.exposures;
    for (const [i, frame] of plan.capture.frames.entries()) {
      exposure[i] = Math.atanh(Math.max(-0.95, Math.min(0.95, frame.ev / squash)));
    }
  }
  run('focus')?.set(plan.capture.focus);
  run('kappa')?.fill(Math.log(plan.capture.kappa));
}
