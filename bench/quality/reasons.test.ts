import { expect, it } from 'vitest';
import type { Development } from '../../develop/options.js';
import type { RadianceScores } from '../scores/scores.js';
import { reasons } from './reasons.js';

const scores = (own: Partial<RadianceScores> = {}): RadianceScores => ({
  muPsnr: 30,
  muPsnrPerChannel: 30,
  muPsnrAffine: 30,
  channelGains: [1, 1, 1],
  srgbPsnr: 30,
  deltaE: { median: 1, p95: 3 },
  ssim: 0.9,
  ...own,
});
const untold = { model: {} } as Development;

it.each<[string, Partial<RadianceScores>, RegExp]>([
  [
    'colours',
    { muPsnrPerChannel: 33, channelGains: [1.1, 1, 0.9] },
    /^colours: .*1\.100 1\.000 0\.900.* 3\.0 dB$/,
  ],
  ['the range', { muPsnrAffine: 34 }, /^range: .*4\.0 dB$/],
  ['edges', { muPsnrEdge: 20, muPsnrFlat: 36 }, /^beside depth edges alone, by 4\.0 dB$/],
  ['the rest', { muPsnrEdge: 26, muPsnrFlat: 33 }, /^away from depth edges alone, by 2\.0 dB$/],
])('a loss by %s is named, and nothing else', (_, own, expected) => {
  const why = reasons(scores(own), scores({ muPsnrEdge: 24, muPsnrFlat: 35 }), untold, undefined);
  expect(why).toHaveLength(1);
  expect(why[0]).toMatch(expected);
});

it('a start that was better is named; of a loss without a sign nothing is', () => {
  expect(reasons(scores(), scores(), untold, undefined, scores({ muPsnr: 31 }))).toEqual([
    'training: its start is 1.0 dB better',
  ]);
  expect(reasons(scores(), scores(), untold, undefined)).toEqual([]);
});
