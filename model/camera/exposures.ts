import type { ModelConfig } from '../config.js';

/**
 * How learned parameters δ become exposures. ev = base + squash(P δ), with P the `basis` [frames][parameters].
 *
 * The mean and the range of EV are not observable from the pictures: (ln x, EV, f) and (γ ln x, γ EV, f(·/γ)) fit
 * them equally well. So P projects δ off (1, …, 1) and off the mean-free start vector; only `free` (the paper's form)
 * leaves both to drift.
 */
export interface Exposures {
  readonly parameters: number;
  readonly base: readonly number[];
  readonly basis: readonly (readonly number[])[];
  /** 0: none; otherwise ev = base + squash · tanh(P δ). */
  readonly squash: number;
}

/** Stops that the paper's tanh-squashed exposures can reach. */
const FREE_RANGE = 3;

/** Plans the exposures of frames {exposure setting, ev}. */
export function planExposures(
  frames: readonly { readonly exposure: number; readonly ev: number }[],
  mode: ModelConfig['exposure'],
): Exposures {
  const n = frames.length;
  const base = frames.map((f) => f.ev);
  const none: Exposures = { parameters: 0, base, basis: base.map(() => []), squash: 0 };
  if (mode === 'known') return none;
  if (mode === 'free') {
    const identity = frames.map((_, i) => frames.map((_, j) => (i === j ? 1 : 0)));
    return { parameters: n, base: base.map(() => 0), basis: identity, squash: FREE_RANGE };
  }
  const settings = [...new Set(frames.map((f) => f.exposure))].sort((a, b) => a - b);
  const parameters = settings.length;
  const expand = frames.map((f) => settings.map((setting) => (setting === f.exposure ? 1 : 0)));
  const basis = projectOff(expand, base);
  // Nothing is left to learn where every direction is pinned (one or two exposure settings).
  const free = basis.some((row) => row.some((v) => Math.abs(v) > 1e-6));
  return free ? { parameters, base, basis, squash: 0 } : none;
}

/** Projects every column of `columns` [frames][parameters] off (1, …, 1) and off the mean-free `base`. */
function projectOff(columns: number[][], base: number[]): number[][] {
  const n = base.length;
  const mean = base.reduce((a, b) => a + b, 0) / n;
  const range = base.map((v) => v - mean);
  const norm = range.reduce((a, v) => a + v * v, 0);
  const out = columns.map((row) => row.slice());
  for (let j = 0; j < (columns[0]?.length ?? 0); j++) {
    const average = columns.reduce((a, row) => a + row[j], 0) / n;
    for (const row of out) row[j] -= average;
    if (norm < 1e-12) continue;
    const along = out.reduce((a, row, i) => a + row[j] * range[i], 0) / norm;
    for (const [i, row] of out.entries()) row[j] -= along * range[i];
  }
  return out;
}
