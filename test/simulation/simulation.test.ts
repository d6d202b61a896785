import { expect, test } from 'vitest';
import { runSchedule } from './schedule.js';

const ONE = Number(process.env.SEED ?? Number.NaN);
const COUNT = Number(process.env.SCHEDULES ?? 10_000);

test('schedules', { timeout: 300_000 }, () => {
  if (Number.isFinite(ONE)) {
    const outcome = runSchedule(ONE, undefined, true);
    console.log(outcome.log.join('\n'));
    console.log(outcome.violation, outcome.simulatedMs);
    return;
  }
  const bad = new Map<string, number[]>();
  const started = Date.now();
  let finished = 0;
  for (let seed = 1; seed <= COUNT; seed++) {
    const o = runSchedule(seed);
    finished += o.finished;
    if (o.violation !== null) {
      const key = o.violation.split('\n').slice(0, 2).join(' ').replace(/\d+/g, '#');
      bad.set(key, [...(bad.get(key) ?? []), seed]);
    }
  }
  console.log(Date.now() - started, 'ms', finished, 'finished', [...bad].map(([k, v]) => `${v.length}: ${k} e.g. ${v.slice(0, 5)}`).join('\n'));
  expect(bad.size).toBe(0);
});
