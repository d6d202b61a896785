import type { TrainingState } from '../client/training-state.js';
import { h, svg } from '../ui/dom.js';

const WIDTH = 280;
const HEIGHT = 72;
/** Decibels that the height spans at least, so that noise does not look like progress. */
const LEAST_SPAN = 4;

/** PSNR over the steps as a line. */
export function curveOf(curve: TrainingState['curve'], stepsTotal: number | null): Node[] {
  const values = curve.map(([, psnr]) => psnr);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = Math.max(0, LEAST_SPAN - (high - low)) / 2;
  const [bottom, top] = [low - margin, high + margin];
  const last = Math.max(1, stepsTotal ?? curve.at(-1)![0]);
  const points = curve.map(([step, psnr]) => {
    const x = (WIDTH * step) / last;
    const y = 3 + (HEIGHT - 6) * (1 - (psnr - bottom) / (top - bottom));
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  const line = svg('polyline', { points: points.join(' ') });
  const drawing = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, 'aria-hidden': 'true' }, line);
  return [h('p', { class: 'help' }, 'Agreement with the photographs (PSNR)'), drawing];
}
