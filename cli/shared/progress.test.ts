import { describe, expect, it } from 'vitest';
import type { DevelopProgress } from '../../develop/options.js';
import { duration, reportProgress } from './progress.js';

const state = (step: number): DevelopProgress => ({
  step,
  steps: 100,
  loss: 0.012345,
  psnr: 38.249,
  stepsPerSecond: 123.4,
  secondsLeft: 75,
});

function recorded(isTTY: boolean) {
  const written: string[] = [];
  let clock = 0;
  const stream = { isTTY, write: (text: string) => written.push(text) };
  return {
    report: reportProgress(stream, () => clock),
    text: () => written.join(''),
    wait: (ms: number) => {
      clock += ms;
    },
  };
}

describe('progress', () => {
  it('tells plain lines at most once in two seconds, the first at once and the last in any case', () => {
    const { report, text, wait } = recorded(false);
    for (let step = 1; step <= 50; step++) {
      report.progress(state(step));
      wait(100);
    }
    report.stop();
    report.stop();
    expect(text().match(/^step \d+/gm)).toEqual(['step 1', 'step 21', 'step 41', 'step 50']);
    expect(text().split('\n')[0]).toBe('step 1/100  loss 0.0123  38.2 dB  123 steps/s  1 min 15 s left');
  });

  it('keeps other lines as they come', () => {
    const { report, text } = recorded(false);
    report.line('one');
    report.progress(state(1));
    report.line('two');
    report.stop();
    expect(text()).toMatch(/^one\nstep 1\/100.*\ntwo\n$/);
  });

  it('says so where loss and time are not known yet', () => {
    const { report, text } = recorded(false);
    report.progress({
      ...state(0),
      loss: Number.NaN,
      psnr: Number.NaN,
      stepsPerSecond: Number.POSITIVE_INFINITY,
      secondsLeft: Number.POSITIVE_INFINITY,
    });
    expect(text()).toBe('step 0/100  loss ?  ? dB  ? steps/s  ? left\n');
  });
});

describe('duration', () => {
  it.each([
    [0, '0.0 s'],
    [1.54, '1.5 s'],
    [9.96, '10 s'],
    [41.7, '42 s'],
    [59.6, '1 min 00 s'],
    [185, '3 min 05 s'],
    [7800, '2 h 10 min'],
  ])('%f s is %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});
