import { expect, test } from 'vitest';
import { StepTimes } from './step-times.js';

test('steps are told by their lower quartile, each window by its own', () => {
  const times = new StepTimes();
  expect(times.take()).toBe(0);
  for (const ms of [90, 10, 11, 12, 300]) times.add(ms);
  expect(times.take()).toBe(11);
  expect(times.take()).toBe(0);
  times.add(7);
  expect(times.take()).toBe(7);
});

test('of long windows the last steps count', () => {
  const times = new StepTimes();
  for (let i = 0; i < 10_000; i++) times.add(i < 9_000 ? 1 : 2);
  expect(times.take()).toBe(2);
});
