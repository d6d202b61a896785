import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPicture } from '../../model/picture.js';
import { writeSample } from '../samples/write.js';
import { evaluate, evaluateAgainst, readKnownTruth, readTruth } from './evaluate.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'implicam-evaluate-'));
  await writeSample(folder, { scene: 'study', width: 120, height: 80 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('evaluate', () => {
  it('gives the truth full marks, up to a gain', async () => {
    const { radiance, inverseDepth } = await readKnownTruth(folder);
    const scaled = { ...radiance, data: radiance.data.map((v) => 3 * v) };
    const defocus = { ...inverseDepth, data: inverseDepth.data.map((v) => 5 * v - 2) };
    const result = await evaluate({ radiance: scaled, defocus }, folder);
    expect(result.muPsnr).toBeGreaterThan(80);
    expect(result.ssim).toBeGreaterThan(0.9999);
    expect(result.depthCorrelation).toBeCloseTo(1, 5);
    expect(Object.keys(result)).toEqual(
      expect.arrayContaining(['muPsnr', 'channelGains', 'deltaE', 'ssim', 'depthCorrelation', 'baselines']),
    );
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });

  it('ranks one photograph below the classical pipeline, and both below the truth', async () => {
    const truth = await readKnownTruth(folder);
    const { baselines, depthCorrelation } = evaluateAgainst({ radiance: truth.radiance }, truth);
    expect(depthCorrelation).toBeNull();
    for (const key of ['muPsnr', 'srgbPsnr', 'ssim'] as const) {
      expect(baselines.classical[key]).toBeGreaterThan(baselines.bestFrame[key]);
    }
    expect(baselines.classical.muPsnr).toBeGreaterThan(27);
    expect(baselines.classical.muPsnr).toBeLessThan(45);
    expect(baselines.bestFrame.muPsnr).toBeGreaterThan(18);
  });

  it('registers hand-held photographs by the truth before the baselines see them', async () => {
    const held = await mkdtemp(join(tmpdir(), 'implicam-held-'));
    try {
      await writeSample(held, { width: 120, height: 80, focus: 1, motion: 'hand' });
      const score = async (where: string) => {
        const t = await readKnownTruth(where);
        return evaluateAgainst({ radiance: t.radiance }, t).baselines.classical.muPsnr;
      };
      const moved = await score(held);
      const truth = await readTruth(held);
      for (const frame of truth.frames) frame.homography = [1, 0, 0, 0, 1, 0, 0, 0, 1];
      await writeFile(join(held, 'truth.json'), JSON.stringify(truth));
      const unregistered = await score(held);
      expect(moved).toBeGreaterThan(unregistered + 3);
    } finally {
      await rm(held, { recursive: true, force: true });
    }
  });

  it('says what is wrong with its input', async () => {
    await expect(evaluate({ radiance: createPicture(60, 40, 3) }, folder)).rejects.toThrow(/60x40.*120x80/);
    await expect(readTruth(join(folder, 'nowhere'))).rejects.toThrow(/nowhere.*implicam sample/);
    const broken = await mkdtemp(join(tmpdir(), 'implicam-broken-'));
    try {
      await writeFile(join(broken, 'truth.json'), '{"version": 7}');
      await expect(readTruth(broken)).rejects.toThrow(/not the truth of a sample/);
      const truth = await readTruth(folder);
      truth.frames[0].file = '../secret.png';
      await writeFile(join(broken, 'truth.json'), JSON.stringify(truth));
      await expect(readTruth(broken)).rejects.toThrow(/frames\.0\.file/);
    } finally {
      await rm(broken, { recursive: true, force: true });
    }
  });
});
