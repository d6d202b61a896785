import type { StillPreset } from '../../model/presets.js';
import { unit2 } from '../samples/hash.js';
import type { SampleOptions } from '../samples/write.js';

/** A capture whose truth is known, and what it should be taken for. */
export interface QualityCapture {
  readonly name: string;
  /** Its generated scene: even seeds are for choosing settings, odd ones for reports. */
  readonly seed: number;
  readonly preset: StillPreset;
  readonly options: SampleOptions & { readonly width: number; readonly height: number };
}

export const HALVES = ['tune', 'report'] as const;
export type Half = (typeof HALVES)[number];

type Kind = Pick<QualityCapture, 'preset'> & { readonly name: string; readonly options: SampleOptions };

const bracket = (name: string, options: SampleOptions = {}): Kind => ({
  name,
  preset: 'exposure',
  options: { focus: 1, exposures: 3, ...options },
});
const stack = (name: string, options: SampleOptions = {}): Kind => ({
  name,
  preset: 'focus',
  options: { focus: 5, exposures: 1, ...options },
});
const both = (name: string, options: SampleOptions = {}): Kind => ({
  name,
  preset: 'focus-exposure',
  options: { focus: 3, exposures: 3, ...options },
});

/** What people photograph with, and how. Every kind is photographed in eight scenes, four of them of either half. */
const KINDS: readonly Kind[] = [
  bracket('tripod'),
  bracket('phone-hand', { jpeg: 90, response: 'phone', motion: 'hand' }),
  both('tripod'),
  stack('tripod'),
  bracket('high-iso', { iso: 1600, response: 'film' }),
  bracket('hand-mover', { jpeg: 95, motion: 'hand', mover: true }),
  stack('phone-breathing', { jpeg: 85, response: 'phone', breathing: 2 }),
  both('hand-jpeg', { jpeg: 95, subsampling: '4:4:4', motion: 'hand' }),
  bracket('16-bits', { bits: 16, exposures: 5, response: 'flat' }),
  bracket('early-white', { white: 235, jpeg: 95, response: 'vivid' }),
  stack('flicker', { flicker: 0.15, wbDrift: 0.05, focus: 3, iso: 400 }),
  bracket('rough-flicker', { flicker: 0.2, exif: 'rough', exposures: 5 }),
  bracket('vignetting-hand', { vignetting: 1.5, motion: 'hand', jpeg: 95 }),
  bracket('retakes', { retakes: 1, iso: 800, response: 'srgb' }),
  both('noise-rough', { iso: 400, response: 'vivid', exif: 'rough' }),
  bracket('drift-no-exif', { wbDrift: 0.1, jpeg: 92, exif: 'none' }),
];

const SIZES = [
  [240, 160],
  [300, 200],
  [360, 240],
  [400, 300],
  [450, 300],
  [300, 400],
  [480, 320],
  [600, 400],
] as const;
const LARGE = [1732, 1155] as const;
/** Of each half these are photographed with two megapixels. */
const LARGE_ONES = [20, 41];
const PER_HALF = 64;

/** The captures of one half, always the same, kinds in turn: the first ones are of all kinds already. */
export function qualityCaptures(half: Half): QualityCapture[] {
  return Array.from({ length: PER_HALF }, (_, i) => {
    const seed = 2 * i + (half === 'report' ? 1 : 2);
    const { name, preset, options } = KINDS[i % KINDS.length];
    const [width, height] = LARGE_ONES.includes(i)
      ? LARGE
      : SIZES[Math.floor(unit2(i, 3, 77) * SIZES.length)];
    return {
      name: `${preset}/${name}-${seed}`,
      seed,
      preset,
      options: { ...options, scene: 'random', seed, width, height },
    };
  });
}

/** The same with sides of at most `size` pixels. */
export function atMost(capture: QualityCapture, size: number): QualityCapture {
  const { width, height } = capture.options;
  const scale = Math.min(1, size / Math.max(width, height));
  const side = (n: number) => Math.max(16, Math.round(n * scale));
  return { ...capture, options: { ...capture.options, width: side(width), height: side(height) } };
}

/** What photographs a capture again. */
export function commandOf({ options }: QualityCapture): string {
  const { width, height, ...others } = options;
  const flags = Object.entries(others).map(([name, value]) => {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return value === true ? flag : `${flag} ${value}`;
  });
  return ['implicam sample capture', ...flags, `--size ${width}x${height}`].join(' ');
}
