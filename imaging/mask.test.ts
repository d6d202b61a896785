import { describe, expect, it } from 'vitest';
import { decodeFrame } from './decode.js';
import { limitsWith } from './limits.js';
import { fromSamples, plainTiff, type Samples, samples8, samples16 } from './test-support.js';

const EXTRA_SAMPLES = 338;

async function decoded(bytes: Uint8Array) {
  const notes: string[] = [];
  const frame = await decodeFrame({ name: 'a', bytes }, limitsWith(), (note) => notes.push(note));
  return { frame, notes };
}

/** The samples with another last channel. */
function withAlpha(
  samples: Samples<Uint8Array | Uint16Array>,
  channels: number,
  alpha: (pixel: number) => number,
): Samples<Uint8Array | Uint16Array> {
  const data = samples.data.slice();
  for (let p = 0; p < samples.width * samples.height; p++) data[channels * p + channels - 1] = alpha(p);
  return { ...samples, data };
}

describe('alpha', () => {
  it.each([8, 16])('below full is no measurement: %i bits', async (bits) => {
    const full = 2 ** bits - 1;
    const samples = bits === 8 ? samples8(24, 16, 4) : samples16(24, 16, 4);
    const soft = [0, 0.25, 0.5, 0.75, 0.98, 1];
    const alpha = (p: number) => Math.round(full * soft[p % soft.length]);
    const png = await fromSamples(withAlpha(samples, 4, alpha))
      .png()
      .toBuffer();
    const { frame, notes } = await decoded(png);
    expect(Array.from(frame.mask!.subarray(0, 6))).toEqual([0, 0, 0, 0, 0, 1]);
    expect(notes).toEqual([]);
  });

  it.each([0, 100, 255])('that is %i everywhere says nothing', async (value) => {
    const png = await fromSamples(withAlpha(samples8(16, 16, 4), 4, () => value))
      .png()
      .toBuffer();
    expect((await decoded(png)).frame.mask).toBeUndefined();
  });
});

describe('a TIFF channel beside the colours that is not declared', () => {
  const colours = (samples: Samples<Uint8Array | Uint16Array>) => samples.data.filter((_, i) => i % 4 !== 3);

  it.each([8, 16])('is transparency where it is full or nothing: %i bits', async (bits) => {
    const full = 2 ** bits - 1;
    const samples = withAlpha(bits === 8 ? samples8(24, 16, 4) : samples16(24, 16, 4), 4, (p) =>
      p === 30 ? full >> 1 : p < 24 ? 0 : full,
    );
    const { frame, notes } = await decoded(plainTiff(samples));
    expect(frame.data).toEqual(colours(samples));
    expect(frame.mask).toEqual(Uint8Array.from({ length: 24 * 16 }, (_, p) => (p < 24 || p === 30 ? 0 : 1)));
    expect(notes).toEqual([expect.stringMatching(/taken for transparency/)]);
  });

  it('is opaque without a word where it is full', async () => {
    const samples = withAlpha(samples16(24, 16, 4), 4, () => 65535);
    const { frame, notes } = await decoded(plainTiff(samples));
    expect(frame.data).toEqual(colours(samples));
    expect([frame.mask, notes]).toEqual([undefined, []]);
  });

  it.each([
    ['padding', () => 0],
    ['infrared', (p: number) => 30_000 + 90 * p],
  ])('is left out where it is %s', async (_, value) => {
    const samples = withAlpha(samples16(24, 16, 4), 4, value);
    const { frame, notes } = await decoded(plainTiff(samples));
    expect(frame.data).toEqual(colours(samples));
    expect([frame.mask, notes]).toEqual([undefined, [expect.stringMatching(/left out/)]]);
  });

  it('is alpha where it is declared, whatever it holds', async () => {
    const samples = withAlpha(samples16(24, 16, 4), 4, (p) => (p === 0 ? 65535 : 30_000 + 90 * p));
    for (const kind of [1, 2]) {
      const { frame, notes } = await decoded(plainTiff(samples, [[EXTRA_SAMPLES, 3, 1, kind]]));
      expect([frame.mask!.reduce((a, b) => a + b, 0), notes]).toEqual([1, []]);
    }
  });
});

describe('TIFF', () => {
  const samples = samples16(24, 16);

  it('with tags that are unknown or wrongly typed is whole', async () => {
    const odd = plainTiff(samples, [
      [296, 2, 1, 3],
      [65000, 7, 1, 7],
    ]);
    expect((await decoded(odd)).frame.data).toEqual(samples.data);
  });

  it.each([3, 4])('that is cut short is damaged: %i channels', async (channels) => {
    const whole = plainTiff(samples16(24, 16, channels));
    await expect(decoded(whole.subarray(0, 0.7 * whole.length))).rejects.toMatchObject({
      code: 'file-corrupt',
    });
  });
});
