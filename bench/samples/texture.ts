import { hash2 } from './hash.js';

/**
 * Procedural texture. Every function is band-limited by its `footprint`: the size of a sample in the units of its
 * coordinates. Detail finer than that fades to its mean, so that distant surfaces do not alias.
 */

const DIAGONALS = [1, 1, -1, 1, 1, -1, -1, -1, Math.SQRT2, 0, -Math.SQRT2, 0, 0, Math.SQRT2, 0, -Math.SQRT2];

/** Gradient noise (Perlin 2002) with unit lattice, about −1…1. */
export function gradientNoise(x: number, y: number, seed: number): number {
  const ix = Math.floor(x);
  const iy = Math.floor(y);
  const fx = x - ix;
  const fy = y - iy;
  const u = fx * fx * fx * (fx * (fx * 6 - 15) + 10);
  const v = fy * fy * fy * (fy * (fy * 6 - 15) + 10);
  const n00 = slope(hash2(ix, iy, seed), fx, fy);
  const n10 = slope(hash2(ix + 1, iy, seed), fx - 1, fy);
  const n01 = slope(hash2(ix, iy + 1, seed), fx, fy - 1);
  const n11 = slope(hash2(ix + 1, iy + 1, seed), fx - 1, fy - 1);
  const top = n00 + (n10 - n00) * u;
  return top + (n01 + (n11 - n01) * u - top) * v;
}

function slope(word: number, dx: number, dy: number): number {
  const k = (word >>> 28) & 14;
  return DIAGONALS[k] * dx + DIAGONALS[k + 1] * dy;
}

/**
 * Fractal noise, about −1…1: octaves of gradient noise from lattice size 1 down to the footprint, each with `gain`
 * times the amplitude of the one before.
 */
export function fractal(x: number, y: number, seed: number, footprint: number, gain = 0.5): number {
  let sum = 0;
  let amplitude = 1;
  let frequency = 1;
  for (let octave = 0; octave < 12; octave++) {
    // Lattice cells under two samples wide would alias; between two and four they fade in.
    const visible = Math.min(Math.max(0.5 / (footprint * frequency) - 1, 0), 1);
    if (visible <= 0) break;
    sum +=
      amplitude *
      visible *
      gradientNoise(x * frequency + 17.3 * octave, y * frequency - 9.1 * octave, seed + octave);
    amplitude *= gain;
    frequency *= 2;
  }
  // Four octaves fill −1…1. Dividing by those that are visible would let the coarse ones fade as finer ones appear.
  return (sum * (1 - gain)) / (1 - gain ** 4);
}

/** Share of a sample of width `footprint` that lies where `distance` (signed, negative inside) is negative. */
export function covered(distance: number, footprint: number): number {
  return Math.min(Math.max(0.5 - distance / footprint, 0), 1);
}

/** 0 below a, 1 above b, smooth between. */
export function smoothstep(a: number, b: number, x: number): number {
  const t = Math.min(Math.max((x - a) / (b - a), 0), 1);
  return t * t * (3 - 2 * t);
}

/** √(x² + y²); Math.hypot guards against overflow at five times the price. */
export function length(x: number, y: number): number {
  return Math.sqrt(x * x + y * y);
}

/** Signed distance to an upright box around the origin with these half sizes and corner radius. */
export function boxDistance(x: number, y: number, halfX: number, halfY: number, round = 0): number {
  const dx = Math.abs(x) - halfX + round;
  const dy = Math.abs(y) - halfY + round;
  const outside = length(Math.max(dx, 0), Math.max(dy, 0));
  return outside + Math.min(Math.max(dx, dy), 0) - round;
}

/** Distance to a line segment. */
export function segmentDistance(
  x: number,
  y: number,
  ax: number,
  ay: number,
  bx: number,
  by: number,
): number {
  const ux = bx - ax;
  const uy = by - ay;
  const t = Math.min(Math.max(((x - ax) * ux + (y - ay) * uy) / (ux * ux + uy * uy + 1e-12), 0), 1);
  return length(x - ax - t * ux, y - ay - t * uy);
}

/** Signed distance to the nearest of periodic stripes of width `duty` and period 1, which begin at whole numbers. */
export function stripeDistance(x: number, duty: number): number {
  const phase = x - Math.floor(x) - duty / 2;
  return Math.abs(phase > 0.5 ? phase - 1 : phase) - duty / 2;
}

/** Wood grain, 0…1 along the y direction: rings drawn out along x, with fine fibres. */
export function woodGrain(x: number, y: number, seed: number, footprint: number): number {
  const warp = 0.35 * gradientNoise(x * 0.6, y * 2.3, seed);
  const ring = 0.5 + 0.5 * Math.sin(6.2832 * (y * 2.2 + 1.6 * warp));
  const fade = Math.min(Math.max(0.4 / (footprint * 2.2) - 0.4, 0), 1);
  const fibres = fractal(x * 2, y * 24, seed + 31, footprint * 24, 0.65);
  return Math.min(Math.max(0.5 + (ring - 0.5) * 0.55 * fade + 0.75 * fibres, 0), 1);
}
