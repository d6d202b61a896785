import { decodeSrgb } from '../../model/render/display-curves.js';

/**
 * Recognises sRGB among ICC profiles (ICC.1:2010). Converting sRGB to sRGB is not the identity in practice: 16-bit
 * samples move by up to 20 of 65535, and pixels that say "sRGB" must come through exact.
 */

/** D50-adapted primaries of sRGB (the colourants of its profiles). */
const COLOURANTS: readonly (readonly [string, readonly [number, number, number]])[] = [
  ['rXYZ', [0.4361, 0.2225, 0.0139]],
  ['gXYZ', [0.3851, 0.7169, 0.0971]],
  ['bXYZ', [0.1431, 0.0606, 0.7141]],
];
const COLOURANT_TOLERANCE = 0.0025;
/** Profiles approximate the curve with tables and short gammas; 2.2 in place of the sRGB curve is 0.007 off. */
const CURVE_TOLERANCE = 0.003;

/** What to do about a colour profile. */
export type ProfileVerdict = 'srgb' | 'other' | 'unusable';

/**
 * Whether an embedded profile is sRGB, to within a few thousandths in primaries and in transfer curve, or another one
 * to convert from, or none at all. Never throws.
 */
export function judgeProfile(profile: Uint8Array): ProfileVerdict {
  if (profile.length < 132) return 'unusable';
  const view = new DataView(profile.buffer, profile.byteOffset, profile.length);
  if (fourLetters(view, 36) !== 'acsp' || view.getUint32(0) > profile.length) return 'unusable';
  return isSrgb(view) ? 'srgb' : 'other';
}

function isSrgb(view: DataView): boolean {
  const tags = readTags(view);
  if (fourLetters(view, 16) === 'GRAY') return isSrgbCurve(view, tags.get('kTRC'));
  if (fourLetters(view, 16) !== 'RGB ') return false;
  for (const [name, xyz] of COLOURANTS) {
    const at = tags.get(name);
    if (at === undefined || at + 20 > view.byteLength) return false;
    for (let i = 0; i < 3; i++) {
      if (!(Math.abs(fixed(view, at + 8 + 4 * i) - xyz[i]) <= COLOURANT_TOLERANCE)) return false;
    }
  }
  return ['rTRC', 'gTRC', 'bTRC'].every((name) => isSrgbCurve(view, tags.get(name)));
}

function readTags(view: DataView): Map<string, number> {
  const tags = new Map<string, number>();
  const count = Math.min(view.getUint32(128), 100, Math.floor((view.byteLength - 132) / 12));
  for (let i = 0; i < count; i++) {
    const at = view.getUint32(132 + 12 * i + 4);
    if (at + 12 <= view.byteLength) tags.set(fourLetters(view, 132 + 12 * i), at);
  }
  return tags;
}

function isSrgbCurve(view: DataView, at: number | undefined): boolean {
  const curve = at === undefined ? undefined : readCurve(view, at);
  if (!curve) return false;
  for (let i = 0; i <= 64; i++) {
    const v = i / 64;
    if (!(Math.abs(curve(v) - decodeSrgb(v)) <= CURVE_TOLERANCE)) return false;
  }
  return true;
}

function readCurve(view: DataView, at: number): ((v: number) => number) | undefined {
  const kind = fourLetters(view, at);
  if (kind === 'curv') return readTableCurve(view, at);
  if (kind !== 'para') return undefined;
  // Function types 3 and 4 (§10.15): (a v + b)^g + e from d on, c v + f below.
  const type = view.getUint16(at + 8);
  if ((type !== 3 && type !== 4) || at + 12 + 4 * (type === 3 ? 5 : 7) > view.byteLength) return undefined;
  const parameter = (i: number): number => fixed(view, at + 12 + 4 * i);
  const [g, a, b, c, d] = [0, 1, 2, 3, 4].map(parameter) as [number, number, number, number, number];
  const [e, f] = type === 4 ? [parameter(5), parameter(6)] : [0, 0];
  return (v) => (v >= d ? Math.max(0, a * v + b) ** g + e : c * v + f);
}

function readTableCurve(view: DataView, at: number): ((v: number) => number) | undefined {
  const count = view.getUint32(at + 8);
  // One entry is a plain gamma and none the identity: neither is sRGB.
  if (count < 2 || at + 12 + 2 * count > view.byteLength) return undefined;
  const entry = (i: number): number => view.getUint16(at + 12 + 2 * i) / 65535;
  return (v) => {
    const x = v * (count - 1);
    const low = Math.min(Math.floor(x), count - 2);
    return entry(low) + (x - low) * (entry(low + 1) - entry(low));
  };
}

function fixed(view: DataView, at: number): number {
  return view.getInt32(at) / 65536;
}

function fourLetters(view: DataView, at: number): string {
  return String.fromCharCode(
    view.getUint8(at),
    view.getUint8(at + 1),
    view.getUint8(at + 2),
    view.getUint8(at + 3),
  );
}
