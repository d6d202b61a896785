import { type FeatureLevel, localContrast, localMean } from './features.js';

/** Shifts searched, as a share of the longer side. */
const REACH = 0.16;
/** A shift must leave this share of what both frames show when they stand still. */
const LEAST_OVERLAP = 0.5;

/**
 * The shift (in pixels of the level) by which the other frame agrees best with the template: template (x, y) is at
 * (x + dx, y + dy) in the other. Exhaustive, by correlation of what both frames can be trusted in.
 */
export function searchShift(
  template: FeatureLevel,
  other: FeatureLevel,
  score: typeof scoreShifts,
): { dx: number; dy: number } {
  const { width, height } = template;
  const reach = Math.max(1, Math.round(REACH * Math.max(width, height)));
  const first = contrastOf(template);
  const second = contrastOf(other);
  const reachX = Math.min(reach, width >> 1);
  const reachY = Math.min(reach, height >> 1);
  const { correlation, seen } = score(first, second, reachX, reachY);
  const still = correlation.length >> 1;
  // Standing still wins ties, also those by a hair.
  let best = -1;
  let highest = correlation[still] + 1e-3;
  for (let n = 0; n < correlation.length; n++) {
    if (!(seen[n] >= LEAST_OVERLAP * seen[still] && correlation[n] > highest)) continue;
    best = n;
    highest = correlation[n];
  }
  if (best < 0) return { dx: 0, dy: 0 };
  const columns = 2 * reachX + 1;
  return { dx: (best % columns) - reachX, dy: Math.floor(best / columns) - reachY };
}

function contrastOf(level: FeatureLevel): FeatureLevel {
  const value = level.value.slice();
  const trust = level.trust.slice();
  localContrast(level, value, level.trust, localMean(level.trust, level.width, level.height), trust);
  return { ...level, value, trust };
}

/** How two levels agree under every shift within a reach: entry (dy + reachY) · (2 reachX + 1) + dx + reachX. */
export interface ShiftScores {
  readonly correlation: Float64Array;
  /** How much of both is seen. */
  readonly seen: Float64Array;
}

/** Scores of all shifts of up to `reachX` and `reachY` pixels. */
export function scoreShifts(a: FeatureLevel, b: FeatureLevel, reachX: number, reachY: number): ShiftScores {
  const shifts = (2 * reachX + 1) * (2 * reachY + 1);
  const scores = { correlation: new Float64Array(shifts), seen: new Float64Array(shifts) };
  let n = 0;
  for (let dy = -reachY; dy <= reachY; dy++) {
    for (let dx = -reachX; dx <= reachX; dx++, n++) {
      const { correlation, seen } = scoreShift(a, b, dx, dy);
      scores.correlation[n] = correlation;
      scores.seen[n] = seen;
    }
  }
  return scores;
}

function scoreShift(
  a: FeatureLevel,
  b: FeatureLevel,
  dx: number,
  dy: number,
): { correlation: number; seen: number } {
  const { width, height } = a;
  let seen = 0;
  let ab = 0;
  let aa = 0;
  let bb = 0;
  const left = Math.max(0, -dx);
  const right = Math.min(width, width - dx);
  for (let y = Math.max(0, -dy); y < Math.min(height, height - dy); y++) {
    let p = y * width + left;
    let q = p + dy * width + dx;
    for (let x = left; x < right; x++, p++, q++) {
      const w = a.trust[p] * b.trust[q];
      const u = a.value[p];
      const v = b.value[q];
      seen += w;
      ab += w * u * v;
      aa += w * u * u;
      bb += w * v * v;
    }
  }
  return { correlation: aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : -1, seen };
}
