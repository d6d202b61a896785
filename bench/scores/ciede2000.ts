/**
 * Colour difference CIEDE2000 after Sharma, Wu & Dalal, "The CIEDE2000 color-difference formula: implementation notes,
 * supplementary test data, and mathematical observations", Color Research & Application 30 (2005), with kL = kC = kH = 1.
 * A difference of 1 is about what is just seen side by side.
 */

/** L* 0…100, a*, b*. */
export type Lab = readonly [number, number, number];

const DEGREE = Math.PI / 180;
const POWER_25_7 = 25 ** 7;

export function ciede2000([l1, a1, b1]: Lab, [l2, a2, b2]: Lab): number {
  const meanChroma = (Math.sqrt(a1 * a1 + b1 * b1) + Math.sqrt(a2 * a2 + b2 * b2)) / 2;
  const g = 0.5 * (1 - chromaWeight(meanChroma));
  const x1 = (1 + g) * a1;
  const x2 = (1 + g) * a2;
  const c1 = Math.sqrt(x1 * x1 + b1 * b1);
  const c2 = Math.sqrt(x2 * x2 + b2 * b2);
  const h1 = hue(x1, b1);
  const h2 = hue(x2, b2);
  const grey = c1 * c2 === 0;
  let turn = grey ? 0 : h2 - h1;
  if (turn > 180) turn -= 360;
  else if (turn < -180) turn += 360;
  const dL = l2 - l1;
  const dC = c2 - c1;
  const dH = 2 * Math.sqrt(c1 * c2) * Math.sin((turn / 2) * DEGREE);
  const l = (l1 + l2) / 2;
  const c = (c1 + c2) / 2;
  const h = meanHue(h1, h2, grey);
  const t =
    1 -
    0.17 * Math.cos((h - 30) * DEGREE) +
    0.24 * Math.cos(2 * h * DEGREE) +
    0.32 * Math.cos((3 * h + 6) * DEGREE) -
    0.2 * Math.cos((4 * h - 63) * DEGREE);
  const sL = 1 + (0.015 * (l - 50) ** 2) / Math.sqrt(20 + (l - 50) ** 2);
  const sC = 1 + 0.045 * c;
  const sH = 1 + 0.015 * c * t;
  const rotation = 60 * Math.exp(-(((h - 275) / 25) ** 2)) * DEGREE;
  const rT = -2 * chromaWeight(c) * Math.sin(rotation);
  const [u, v, w] = [dL / sL, dC / sC, dH / sH];
  return Math.sqrt(u * u + v * v + w * w + rT * v * w);
}

function chromaWeight(chroma: number): number {
  const c7 = chroma ** 7;
  return Math.sqrt(c7 / (c7 + POWER_25_7));
}

/** Degrees, 0…360; 0 of grey. */
function hue(a: number, b: number): number {
  if (a === 0 && b === 0) return 0;
  const h = Math.atan2(b, a) / DEGREE;
  return h < 0 ? h + 360 : h;
}

function meanHue(h1: number, h2: number, grey: boolean): number {
  const sum = h1 + h2;
  if (grey) return sum;
  if (Math.abs(h1 - h2) <= 180) return sum / 2;
  return sum < 360 ? (sum + 360) / 2 : (sum - 360) / 2;
}

/** CIE L*a*b* of light R, G, B in sRGB primaries, 0…1 of display white (D65). */
export function labOf(r: number, g: number, b: number): Lab {
  const x = curve((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const y = curve(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = curve((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function curve(t: number): number {
  return t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116;
}
