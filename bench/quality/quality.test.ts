import { describe, expect, it } from 'vitest';
import { createPicture, type Picture } from '../../model/picture.js';
import { atMost, commandOf, qualityCaptures } from './captures.js';
import { afterBestCurve } from './display.js';
import { type Judgement, judge } from './judge.js';
import { castOf, reportOf } from './report.js';

describe('the list of captures', () => {
  const [tune, report] = [qualityCaptures('tune'), qualityCaptures('report')];

  it('has halves of at least 60 that share no scene, the same every time', () => {
    expect(tune.length).toBeGreaterThanOrEqual(60);
    expect(tune.every(({ seed }) => seed % 2 === 0)).toBe(true);
    expect(report.every(({ seed }) => seed % 2 === 1)).toBe(true);
    expect(new Set([...tune, ...report].map(({ name }) => name)).size).toBe(tune.length + report.length);
    expect(qualityCaptures('report')).toEqual(report);
  });

  it('is of 240 to 600 pixels but for some of two megapixels, over all presets', () => {
    const sides = report.map(({ options }) => Math.max(options.width, options.height));
    expect(Math.min(...sides)).toBeGreaterThanOrEqual(240);
    expect(sides.filter((s) => s > 600)).toEqual([1732, 1732]);
    expect(new Set(report.slice(0, 16).map(({ preset }) => preset)).size).toBe(3);
    const small = atMost(report[0], 60).options;
    expect(Math.max(small.width, small.height)).toBe(60);
  });
});

it('a capture is photographed again by the command that is printed', () => {
  const capture = qualityCaptures('report')[5];
  expect(commandOf(capture)).toMatch(
    /^implicam sample capture --focus 1 --exposures 3 --jpeg 95 --motion hand --mover --scene random --seed 11 --size \d+x\d+$/,
  );
});

describe('a displayed picture', () => {
  const picture = (f: (i: number) => number): Picture => {
    const out = createPicture(30, 20, 3);
    for (let i = 0; i < out.data.length; i++) out.data[i] = f(i);
    return out;
  };
  const truth = picture((i) => 0.5 + 0.5 * Math.sin(i * 0.7));

  it('may be of any brightness and contrast, but not of another colour', () => {
    expect(afterBestCurve({ ...truth, data: truth.data.map((v) => v ** 2.2) }, truth)).toBeGreaterThan(45);
    const cast = { ...truth, data: truth.data.map((v, i) => (i % 3 === 0 ? 0.7 * v : v)) };
    expect(afterBestCurve(cast, truth)).toBeLessThan(30);
  });
});

describe('two captures', () => {
  it('are judged and reported', { timeout: 120_000 }, async () => {
    const captures = qualityCaptures('report')
      .filter(({ name }) => /exposure\/phone-hand-3$|focus\/tripod-7$/.test(name))
      .map((c) => atMost(c, 96));
    expect(captures).toHaveLength(2);
    const judgements: Judgement[] = [];
    for (const capture of captures) judgements.push(await judge(capture, 'draft'));
    for (const judgement of judgements) {
      expect(judgement.ours.muPsnr).toBeGreaterThan(15);
      expect(judgement.display.ours).toBeGreaterThan(10);
      expect(castOf(judgement)).toBeLessThan(100);
    }
    expect(Object.keys(judgements[0].baselines)).toEqual(['bestFrame', 'debevec']);
    expect(Object.keys(judgements[1].baselines)).toEqual(['bestFrame', 'debevec', 'laplacian', 'pyramid']);
    const page = reportOf(judgements);
    for (const { name } of judgements) expect(page).toContain(name);
    expect(page).toMatch(/best single frame \| 2 \|/);
    const worse = reportOf([{ ...judgements[0], lost: { to: 'debevec', by: 3.21, why: ['the test'] } }]);
    expect(worse).toMatch(/3\.2 less than Debevec.*the test/);
  });
});
