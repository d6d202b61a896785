import { describe, expect, test } from 'vitest';
import type { Plan } from '../../model/plan.js';
import { PreviewSchedule } from './schedule.js';

const planOf = (steps: number, width: number, height: number) =>
  ({ capture: { width, height }, config: { train: { steps } } }) as Plan;

describe('pictures of a training', () => {
  test('come once for each share of its steps', () => {
    const schedule = new PreviewSchedule(planOf(1000, 100, 100), 0, 0);
    const made: number[] = [];
    for (let step = 0; step <= 1000; step += 50) {
      if (!schedule.isDue(step, 200 * step)) continue;
      made.push(step);
      schedule.took(20, true);
    }
    expect(made).toEqual([100, 300, 600]);
  });

  test('keep their distance in time, and are left out rather than come late in a row', () => {
    const schedule = new PreviewSchedule(planOf(1000, 100, 100), 0, 0);
    expect(schedule.isDue(100, 10_000)).toBe(true);
    schedule.took(10, true);
    expect(schedule.isDue(300, 11_000)).toBe(false);
    expect(schedule.isDue(650, 14_000)).toBe(true);
    schedule.took(10, true);
    expect(schedule.isDue(999, 60_000)).toBe(false);
  });

  test('take no more than a twentieth of the time, as measured', () => {
    // A megapixel is guessed at one second.
    const schedule = new PreviewSchedule(planOf(1000, 1000, 1000), 0, 0);
    expect(schedule.isDue(100, 19_000)).toBe(false);
    expect(schedule.isDue(200, 21_000)).toBe(true);
    schedule.took(6000, true);
    expect(schedule.isDue(300, 239_000)).toBe(false);
    expect(schedule.isDue(400, 241_000)).toBe(true);
  });

  test('that came to nothing are tried again, within the same share of the time', () => {
    const schedule = new PreviewSchedule(planOf(1000, 100, 100), 0, 0);
    expect(schedule.isDue(100, 10_000)).toBe(true);
    schedule.took(400, false);
    expect(schedule.isDue(110, 14_000)).toBe(false);
    expect(schedule.isDue(120, 17_000)).toBe(true);
    schedule.took(10, true);
    expect(schedule.isDue(200, 90_000)).toBe(false);
  });

  test('of what was before a recovery are not made again', () => {
    const schedule = new PreviewSchedule(planOf(1000, 100, 100), 350, 0);
    expect(schedule.isDue(400, 100_000)).toBe(false);
    expect(schedule.isDue(600, 100_000)).toBe(true);
  });
});
