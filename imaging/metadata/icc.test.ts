import { describe, expect, it } from 'vitest';
import { builtInProfile, random } from '../test-support.js';
import { judgeProfile } from './icc.js';

/** A matrix and curve profile: tags as (signature, content). */
function profile(...tags: [string, Buffer][]): Buffer {
  const head = Buffer.alloc(132 + 12 * tags.length);
  const parts: Buffer[] = [head];
  let at = head.length;
  head.write('RGB ', 16, 'latin1');
  head.write('acsp', 36, 'latin1');
  head.writeUInt32BE(tags.length, 128);
  tags.forEach(([name, content], i) => {
    head.write(name, 132 + 12 * i, 'latin1');
    head.writeUInt32BE(at, 136 + 12 * i);
    head.writeUInt32BE(content.length, 140 + 12 * i);
    parts.push(content);
    at += content.length;
  });
  head.writeUInt32BE(at, 0);
  return Buffer.concat(parts);
}

function fixed(kind: string, values: number[], type = 0): Buffer {
  const bytes = Buffer.alloc((kind === 'para' ? 12 : 8) + 4 * values.length);
  bytes.write(kind, 'latin1');
  if (kind === 'para') bytes.writeUInt16BE(type, 8);
  values.forEach((v, i) => {
    bytes.writeInt32BE(Math.round(v * 65536), bytes.length - 4 * (values.length - i));
  });
  return bytes;
}

/** A sampled transfer curve. */
function curve(size: number, value: (v: number) => number): Buffer {
  const bytes = Buffer.alloc(12 + 2 * size);
  bytes.write('curv', 'latin1');
  bytes.writeUInt32BE(size, 8);
  for (let i = 0; i < size; i++) bytes.writeUInt16BE(Math.round(65535 * value(i / (size - 1))), 12 + 2 * i);
  return bytes;
}

const srgb = (v: number): number => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const primaries: [string, Buffer][] = [
  ['rXYZ', fixed('XYZ ', [0.43607, 0.22249, 0.01392])],
  ['gXYZ', fixed('XYZ ', [0.38515, 0.71687, 0.09708])],
  ['bXYZ', fixed('XYZ ', [0.14307, 0.06061, 0.7141])],
];
const adobePrimaries: [string, Buffer][] = [
  ['rXYZ', fixed('XYZ ', [0.60974, 0.31111, 0.01947])],
  ['gXYZ', fixed('XYZ ', [0.20528, 0.62567, 0.06087])],
  ['bXYZ', fixed('XYZ ', [0.14919, 0.06322, 0.74457])],
];
const curves = (content: Buffer): [string, Buffer][] => [
  ['rTRC', content],
  ['gTRC', content],
  ['bTRC', content],
];
const parametric = fixed('para', [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045], 3);

describe('judgeProfile', () => {
  it("knows sRGB: sharp's, a sampled one and a parametric one", async () => {
    expect(judgeProfile(await builtInProfile('srgb'))).toBe('srgb');
    expect(judgeProfile(profile(...primaries, ...curves(curve(1024, srgb))))).toBe('srgb');
    expect(judgeProfile(profile(...primaries, ...curves(curve(26, srgb))))).toBe('srgb');
    expect(judgeProfile(profile(...primaries, ...curves(parametric)))).toBe('srgb');
  });

  it('knows what is not: other primaries, other curves, other spaces', async () => {
    expect(judgeProfile(await builtInProfile('p3'))).toBe('other');
    expect(judgeProfile(profile(...adobePrimaries, ...curves(parametric)))).toBe('other');
    expect(judgeProfile(profile(...primaries, ...curves(curve(1024, (v) => v ** 2.2))))).toBe('other');
    expect(judgeProfile(profile(...primaries, ...curves(curve(2, (v) => v))))).toBe('other');
    expect(judgeProfile(profile(...primaries))).toBe('other');
    const grey = profile(...primaries, ...curves(parametric));
    grey.write('GRAY', 16, 'latin1');
    expect(judgeProfile(grey)).toBe('other');
  });

  it('sorts out what is no profile, and never throws', async () => {
    expect(judgeProfile(new Uint8Array(0))).toBe('unusable');
    expect(judgeProfile(Buffer.alloc(500, 1))).toBe('unusable');
    const whole = profile(...primaries, ...curves(curve(64, srgb)));
    expect(judgeProfile(whole.subarray(0, whole.length - 1))).toBe('unusable');
    const next = random(3);
    for (let trial = 0; trial < 2000; trial++) {
      const bytes = Buffer.from(whole);
      bytes.writeUInt32BE(0, 0);
      for (let i = 0; i < 3; i++) bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256);
      expect(['srgb', 'other', 'unusable']).toContain(
        judgeProfile(bytes.subarray(0, 100 + next() * bytes.length)),
      );
    }
  });
});
