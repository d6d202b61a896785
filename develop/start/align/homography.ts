/**
 * Homographies, row-major 3 × 3, acting on pixel positions whose centres lie at +0.5 (see model/picture.ts). Scaled so
 * that the last element is 1.
 */
export type Homography = readonly number[];

export const IDENTITY: Homography = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/** a · b: first b, then a. */
export function multiply(a: Homography, b: Homography): Homography {
  const out = new Array<number>(9);
  for (let r = 0; r < 3; r++) {
    for (let c = 0; c < 3; c++) {
      out[3 * r + c] = a[3 * r] * b[c] + a[3 * r + 1] * b[3 + c] + a[3 * r + 2] * b[6 + c];
    }
  }
  return scaled(out);
}

/** Inverse by cofactors; elements are not finite where there is none. */
export function invert(m: Homography): Homography {
  const out = new Array<number>(9);
  for (let r = 0; r < 3; r++) {
    for (let c = 0; c < 3; c++) {
      const [r1, r2] = [(r + 1) % 3, (r + 2) % 3];
      const [c1, c2] = [(c + 1) % 3, (c + 2) % 3];
      // Cyclic neighbours carry the sign; transposed.
      out[3 * c + r] = m[3 * r1 + c1] * m[3 * r2 + c2] - m[3 * r1 + c2] * m[3 * r2 + c1];
    }
  }
  return scaled(out);
}

function scaled(m: number[]): Homography {
  const last = m[8];
  return m.map((v) => v / last);
}

/** Where (x, y) goes. */
export function project(m: Homography, x: number, y: number): [number, number] {
  const w = m[6] * x + m[7] * y + m[8];
  return [(m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w];
}

/**
 * The homography in coordinates whose origin is the middle of a width × height picture and whose unit is half its
 * longer side, taken to pixels.
 */
export function fromNormalised(m: Homography, width: number, height: number): Homography {
  const half = Math.max(width, height) / 2;
  const toPixels = [half, 0, width / 2, 0, half, height / 2, 0, 0, 1];
  return multiply(multiply(toPixels, m), invert(toPixels));
}

/** The farthest that a corner of a width × height picture goes, in pixels. */
export function cornerMotion(m: Homography, width: number, height: number): number {
  let most = 0;
  for (const x of [0, width]) {
    for (const y of [0, height]) {
      const [u, v] = project(m, x, y);
      most = Math.max(most, Math.hypot(u - x, v - y));
    }
  }
  return most;
}
