import type { Frame, Session } from '../client/resources.js';

/** Numbers in words that a photographer reads. */

export function duration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '–';
  if (seconds < 1) return 'less than a second';
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  const hours = Math.floor(seconds / 3600);
  return `${hours} h ${Math.round((seconds - 3600 * hours) / 60)} min`;
}

export function byteSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB'];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

const tidy = (value: number, digits: number): string => String(Number(value.toPrecision(digits)));

/** 1/60 s, 0.5 s, 2 s */
export function shutter(seconds: number): string {
  return seconds < 0.3 ? `1/${Math.round(1 / seconds)} s` : `${tidy(seconds, 2)} s`;
}

/** Settings of a photograph, as far as they are known. */
export function cameraLine({ exposureTime, fNumber, iso, focusDistance }: Frame['camera']): string {
  const parts: string[] = [];
  if (exposureTime !== undefined) parts.push(shutter(exposureTime));
  if (fNumber !== undefined) parts.push(`f/${tidy(fNumber, 2)}`);
  if (iso !== undefined) parts.push(`ISO ${iso}`);
  if (focusDistance !== undefined) parts.push(`${tidy(focusDistance, 2)} m`);
  return parts.join(' · ');
}

/** +1.3, 0, −2 */
export function stops(ev: number): string {
  const size = tidy(Math.round(Math.abs(ev) * 10) / 10, 3);
  return size === '0' ? '0' : `${ev < 0 ? '−' : '+'}${size}`;
}

/** f-number nearest to what lenses have engraved, in thirds of a stop. */
export function fNumber(value: number): string {
  return value >= 9.5 ? String(Math.round(value)) : tidy(value, 2);
}

/**
 * A lens opening, `stop` stops wider (positive) than the widest of the capture.
 *
 * @param widest smallest f-number of the capture, where it is known
 */
export function opening(stop: number, widest: number | undefined): string {
  if (widest !== undefined) return `f/${fNumber(widest * 2 ** (-stop / 2))}`;
  if (Math.abs(stop) < 0.05) return 'as captured';
  const size = tidy(Math.round(Math.abs(stop) * 10) / 10, 3);
  return `${size} ${size === '1' ? 'stop' : 'stops'} ${stop > 0 ? 'wider' : 'narrower'}`;
}

/** Relative aperture, as the API has it: the diameter over that of the widest of the capture. */
export const apertureOf = (stop: number): number => Number((2 ** (stop / 2)).toFixed(4));

export const photographs = (count: number): string => (count === 1 ? '1 photograph' : `${count} photographs`);

const WORDS: Record<Session['state'], string> = {
  draft: 'Not started',
  queued: 'Waiting',
  training: 'Developing',
  trained: 'Ready',
  failed: 'Failed',
  cancelled: 'Stopped',
};
export const stateWord = ({ state }: Session): string => WORDS[state];

/** Today 14:05; 3 March 14:05; 3 March 2025 */
export function when(iso: string, now: Date): string {
  const date = new Date(iso);
  const time = date.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
  if (date.toDateString() === now.toDateString()) return `Today ${time}`;
  const sameYear = date.getFullYear() === now.getFullYear();
  const day = date.toLocaleDateString(undefined, {
    day: 'numeric',
    month: 'long',
    ...(sameYear ? {} : { year: 'numeric' }),
  });
  return sameYear ? `${day} ${time}` : day;
}
