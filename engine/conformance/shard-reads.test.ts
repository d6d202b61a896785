import { expect, test } from 'vitest';
import { createPlan } from '../../model/plan.js';
import { shardReads } from '../../model/shard-reads.js';
import type { Rect } from '../../model/shards.js';
import type { SceneData } from '../engine.js';
import { describeEngines } from './engines.js';
import { gather, openGroup, requireSharded, step } from './exchange.js';
import { hash, type Run, randomRun, SAMPLES } from './runs.js';

/** A shard's result does not depend on a pixel outside of what `shardReads` says, and depends on its outermost ones. */

const MOVED = [1, 0, 0.19, 0, 1, -0.12, 0, 0] as const;

/** The run with views displaced by more than a pixel. */
function displaced(run: Run): Run {
  const { capture, config, seed } = run.plan;
  const frames = capture.frames.map((f) => ({ ...f, homography: f.focus > 0 ? MOVED : undefined }));
  const plan = createPlan({ ...capture, frames }, config, seed, 500);
  return { ...run, plan };
}

/** A start beside the frames, and masks. */
function withStart(run: Run): Run {
  const { width, height, frames } = run.plan.capture;
  const area = width * height;
  const lens = run.plan.config.blur.form === 'lens';
  const wave = (i: number) => Math.sin(i * 12.9898);
  const start = {
    radiance: Float32Array.from({ length: 3 * area }, (_, i) => -1.5 + wave(i)),
    defocus: Float32Array.from({ length: lens ? area : 0 }, (_, i) => 0.6 * wave(i + 0.5)),
  };
  const masks = frames.map(() => Uint8Array.from({ length: area }, (_, i) => (wave(i + 0.2) > -0.6 ? 1 : 0)));
  const data = { start, frames: run.data.frames.map((f, i) => ({ data: f.data, mask: masks[i] })) };
  return { ...run, data };
}

const RUNS: [string, () => Run][] = [
  ['lens, masks', () => withStart(SAMPLES[2][1]())],
  ['free, masks', () => withStart(SAMPLES[3][1]())],
  ['lens', () => randomRun('tiled lens')],
  ['free', () => randomRun('tiled free')],
  ['displaced free', () => displaced(randomRun('tiled free, affine'))],
  ['displaced lens', () => displaced(randomRun('tiled lens'))],
];

/** A copy of interleaved or planar samples in which those of pixels that `keep` refuses are `poison`. */
function poisoned<T extends Uint8Array | Uint16Array | Float32Array>(
  samples: T,
  { width, height }: { width: number; height: number },
  planes: { readonly channels: number; readonly interleaved: boolean },
  keep: (x: number, y: number) => boolean,
  poison: number,
): T {
  const out = samples.slice() as T;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (keep(x, y)) continue;
      const at = y * width + x;
      for (let c = 0; c < planes.channels; c++) {
        out[planes.interleaved ? at * planes.channels + c : c * width * height + at] = poison;
      }
    }
  }
  return out;
}

const inside = (r: Rect, x: number, y: number) =>
  x >= r.x && y >= r.y && x < r.x + r.width && y < r.y + r.height;

function dataOf(
  run: Run,
  frames: (x: number, y: number) => boolean,
  start: (x: number, y: number) => boolean,
) {
  const { capture } = run.plan;
  const planar = (a: Float32Array, channels: number) =>
    poisoned(a, capture, { channels, interleaved: false }, start, Number.NaN);
  const one = { channels: 1, interleaved: false };
  return {
    frames: run.data.frames.map((f) => ({
      data: poisoned(f.data, capture, { channels: 3, interleaved: true }, frames, 255),
      mask: f.mask && poisoned(f.mask, capture, one, frames, 1),
    })),
    start: run.data.start && {
      radiance: planar(run.data.start.radiance, 3),
      defocus: planar(run.data.start.defocus, run.data.start.defocus.length ? 1 : 0),
    },
  } satisfies SceneData;
}

const STEPS = 25;

describeEngines(
  'what a shard reads',
  (engine) => {
    test.each(RUNS)('nothing else counts: %s', async (_, make) => {
      const run = make();
      const { shards } = run.plan;
      const trainer = await (await engine.create()).open(run.plan, run.data, run.state);
      await trainer.train(STEPS);
      const planes = await trainer.bake();
      const group = await openGroup(await engine.create(), run, [...shards.keys()], ([s]) => {
        const { frames, start } = shardReads(run.plan, shards[s]);
        return dataOf(
          run,
          (x, y) => inside(frames, x, y),
          (x, y) => inside(start, x, y),
        );
      });
      for (let i = 0; i < STEPS; i++) await step(group, i);
      expect(hash(await gather(run, group))).toBe(hash(await trainer.save()));
      const { width, height } = run.plan.capture;
      for (const [s, member] of group.members.entries()) {
        const own = await member.bake();
        for (const name of ['radiance', 'defocus'] as const) {
          const outside = (a: Float32Array) =>
            poisoned(
              a,
              { width, height },
              { channels: a.length / (width * height), interleaved: false },
              (x, y) => inside(shards[s].own, x, y),
              0,
            );
          // Only its own pixels are baked.
          expect(Buffer.compare(Buffer.from(outside(own[name]).buffer), Buffer.from(own[name].buffer))).toBe(
            0,
          );
          expect(
            Buffer.compare(Buffer.from(own[name].buffer), Buffer.from(outside(planes[name]).buffer)),
          ).toBe(0);
        }
      }
    });

    // Small tiles, whose rare edges these steps reach.
    test.each(RUNS.slice(2))('and no less: %s', async (_, make) => {
      const run = make();
      const { shards } = run.plan;
      const s = Math.floor(shards.length / 2);
      const reads = shardReads(run.plan, shards[s]);
      const leaf = async (data: SceneData) => {
        const { plan, state } = run;
        const trainer = requireSharded(
          await (await engine.create()).open(plan, data, state, { shards: [s] }),
        );
        const sums: number[] = [];
        for (let i = 0; i < 200; i++) {
          await trainer.load({ ...state, step: i });
          sums.push((await trainer.compute(i)).loss);
        }
        trainer.close();
        return sums;
      };
      const whole = await leaf(run.data);
      for (const which of ['frames', 'start'] as const) {
        const r = reads[which];
        const { width, height } = run.plan.capture;
        const sides: [string, (x: number, y: number) => boolean, boolean][] = [
          ['left', (x) => x === r.x, r.x > 0],
          ['top', (_x, y) => y === r.y, r.y > 0],
          ['right', (x) => x === r.x + r.width - 1, r.x + r.width < width],
          ['bottom', (_x, y) => y === r.y + r.height - 1, r.y + r.height < height],
        ];
        for (const [side, there, within] of sides) {
          if (!within) continue;
          const all = () => true;
          const keep = (x: number, y: number) => !there(x, y);
          const data = which === 'frames' ? dataOf(run, keep, all) : dataOf(run, all, keep);
          expect(await leaf(data), `${which} ${side}`).not.toEqual(whole);
        }
      }
    });
  },
  { if: ({ shares, effort }) => shares && !effort },
);
