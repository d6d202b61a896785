import { type FeatureLevel, localContrast, localMean } from './align-features.js';

/** Shifts searched, as a share of the longer side. */
const REACH = 0.16;
/** A shift must leave this share of what both frames show when they stand still. */
const LEAST_OVERLAP = 0.5;

/**
 * The shift (in pixels of the level) by which the other frame agrees best with the template: template (x, y) is at
 * (x + dx, y + dy) in the other. Exhaustive, by correlation of what both frames can be trusted in.
 */
export function searchShift(template: FeatureLevel, other: FeatureLevel): { dx: number; dy: number } {
  const { width, height } = template;
  const reach = Math.max(1, Math.round(REACH * Math.max(width, height)));
  const first = contrastOf(template);
  const second = contrastOf(other);
  const still = correlationAt(first, second, 0, 0);
  // Standing still wins ties, also those by a hair.
  let best = { dx: 0, dy: 0, correlation: still.correlation + 1e-3 };
  for (let dy = -Math.min(reach, height >> 1); dy <= Math.min(reach, height >> 1); dy++) {
    for (let dx = -Math.min(reach, width >> 1); dx <= Math.min(reach, width >> 1); dx++) {
      const { correlation, seen } = correlationAt(first, second, dx, dy);
      if (seen >= LEAST_OVERLAP * still.seen && correlation > best.correlation)
        best = { dx, dy, correlation };
    }
  }
  return { dx: best.dx, dy: best.dy };
}

function contrastOf(level: FeatureLevel): FeatureLevel {
  const value = level.value.slice();
  const trust = level.trust.slice();
  localContrast(level, value, level.trust, localMean(level.trust, level.width, level.height), trust);
  return { ...level, value, trust };
}

function correlationAt(
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
      const w = a.trust[p]! * b.trust[q]!;
      const u = a.value[p]!;
      const v = b.value[q]!;
      seen += w;
      ab += w * u * v;
      aa += w * u * u;
      bb += w * v * v;
    }
  }
  return { correlation: aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : -1, seen };
}
