import { findGroup } from '../layout.js';
import type { Plan } from '../plan.js';

/** The camera model in the clear, read from the flat parameters: what renders and reports need. */
export interface Camera {
  /** Focus value of each focus setting, in focus units. */
  readonly focus: readonly number[];
  /** Pixels of blur radius a focus unit at aperture 1. */
  readonly kappa: number;
  /** Exposure of each frame in stops. */
  readonly ev: readonly number[];
  /** The response, one curve a channel. */
  readonly tone: (channel: number, lnExposure: number) => number;
}

/** What it takes to show radiance as the photographs look: exposures of the frames, and the response. */
export type Look = Pick<Camera, 'ev' | 'tone'>;

/** Reads the camera out of a parameter vector. */
export function readCamera(plan: Plan, parameters: Float32Array): Camera {
  const run = (name: string) => {
    const group = findGroup(plan.layout, name);
    return group ? parameters.subarray(group.offset, group.offset + group.size) : undefined;
  };
  const focus = run('focus');
  const kappa = run('kappa');
  return {
    focus: focus ? Array.from(focus) : plan.capture.focus,
    kappa: kappa ? Math.exp(kappa[0]) : plan.capture.kappa,
    ev: exposuresOf(plan, run('exposure')),
    tone: toneOf(plan, run('tone')!),
  };
}

function exposuresOf(plan: Plan, delta: Float32Array | undefined): number[] {
  const { base, basis, squash } = plan.exposures;
  return base.map((ev, i) => {
    let shift = 0;
    for (const [j, p] of basis[i].entries()) shift += p * (delta?.[j] ?? 0);
    return ev + (squash > 0 ? squash * Math.tanh(shift) : shift);
  });
}

function toneOf(plan: Plan, parameters: Float32Array): Camera['tone'] {
  const { tone } = plan.config;
  if (tone.form === 'mlp') {
    const { hidden } = tone;
    return (channel, z) => {
      const at = channel * (3 * hidden + 1);
      let y = parameters[at + 3 * hidden];
      for (let j = 0; j < hidden; j++) {
        const h = parameters[at + j] * z + parameters[at + hidden + j];
        if (h > 0) y += parameters[at + 2 * hidden + j] * h;
      }
      return 1 / (1 + Math.exp(-2 * y));
    };
  }
  const curves = [0, 1, 2].map((c) => knotValues(parameters.subarray(c * (tone.knots - 1)), tone.knots));
  const scale = (tone.knots - 1) / -tone.low;
  return (channel, z) => {
    const curve = curves[channel];
    const x = (z - tone.low) * scale;
    const i = Math.min(tone.knots - 2, Math.max(0, Math.floor(x)));
    return curve[i] + (curve[i + 1] - curve[i]) * (x - i);
  };
}

/** Knot values from their logits: v₀ = 0, v_j = Σ softmax(logits)_{<j}; v ends at 1. */
export function knotValues(logits: ArrayLike<number>, knots: number): Float64Array {
  const values = new Float64Array(knots);
  let top = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < knots - 1; j++) top = Math.max(top, logits[j]);
  for (let j = 1; j < knots; j++) values[j] = values[j - 1] + Math.exp(logits[j - 1] - top);
  const sum = values[knots - 1];
  for (let j = 0; j < knots; j++) values[j] /= sum;
  return values;
}
