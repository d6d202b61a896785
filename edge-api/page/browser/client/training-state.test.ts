import { describe, expect, test } from 'vitest';
import type { Session } from './resources.js';
import { afterEvent, beginTraining, type TrainingState } from './training-state.js';

const session = {
  training: { run: 1, position: null, phase: null, step: null, stepsTotal: null, loss: null, psnr: null },
} as Session;

type Told = readonly [type: string, data: Record<string, unknown>];
const told = (...events: Told[]): TrainingState =>
  events.reduce(
    (state, [type, data], i) => afterEvent(state, { number: i + 1, type, data }),
    beginTraining(session),
  );

const progress = (step: number, psnr: number): Told => [
  'progress',
  { step, stepsTotal: 1000, loss: 0.1, psnr, stepsPerSecond: 5, secondsLeft: 10 },
];

describe('a training by its events', () => {
  test('progress, previews and notes', () => {
    const state = told(
      ['queued', { run: 1 }],
      ['started', { run: 1 }],
      ['phase', { phase: 'register' }],
      ['note', { text: 'three focus distances' }],
      ['preview', { href: '/p', step: 0 }],
      progress(10, 30),
      progress(20, 31),
    );
    expect(state).toMatchObject({
      phase: 'train',
      step: 20,
      stepsTotal: 1000,
      psnr: 31,
      curve: [
        [10, 30],
        [20, 31],
      ],
      preview: { href: '/p' },
      notes: ['three focus distances'],
    });
  });

  test('after the loss of a runner the curve goes on from the snapshot', () => {
    const state = told(progress(10, 30), progress(20, 31), ['placed', { runners: 1, shards: 4, step: 15 }]);
    expect(state.curve).toEqual([[10, 30]]);
    expect(state.runners).toBe(1);
  });

  test('a new run begins anew, a resumed one goes on', () => {
    expect(told(progress(10, 30), ['queued', { run: 2 }])).toMatchObject({ run: 2, step: 0, curve: [] });
    expect(told(progress(10, 30), ['queued', { run: 1 }])).toMatchObject({ step: 10, curve: [[10, 30]] });
  });

  test('what it waits for is told until it goes on', () => {
    const waiting = told(['waiting', { reason: 'no runner' }]);
    expect(waiting.waiting).toBe('no runner');
    expect(told(['waiting', { reason: 'no runner' }], progress(1, 20)).waiting).toBeNull();
  });

  test('a long training keeps a bounded curve with its newest point', () => {
    const state = told(...Array.from({ length: 5000 }, (_, i) => progress(i + 1, i / 1000)));
    expect(state.curve.length).toBeLessThanOrEqual(300);
    expect(state.curve.at(-1)).toEqual([5000, 4.999]);
    const steps = state.curve.map(([step]) => step);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
  });

  test('a loss that is no number is none', () => {
    const data = { step: 1, stepsTotal: 10, loss: null, psnr: null, stepsPerSecond: 0, secondsLeft: 0 };
    expect(told(['progress', data])).toMatchObject({ step: 1, loss: null, psnr: null, curve: [] });
  });
});
