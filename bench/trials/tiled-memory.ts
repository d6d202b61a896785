import { parseArgs } from 'node:util';
import { renderCapture } from '../samples/capture.js';
import { Cluster } from './cluster/cluster.js';
import { readMetrics } from './cluster/metrics.js';
import { makeScenario, putScenario } from './cluster/scene.js';

/**
 * `node dist/bench/tiled-memory.js [--width 6000 --height 4000 --steps 6]`: resident memory of each runner of a tiled training,
 * on one runner and on two. The pictures repeat a small capture: what they show does not matter here.
 */
const { values } = parseArgs({
  options: {
    width: { type: 'string', default: '6000' },
    height: { type: 'string', default: '4000' },
    steps: { type: 'string', default: '6' },
  },
});
const [width, height, steps] = [Number(values.width), Number(values.height), Number(values.steps)];
const small = renderCapture({ width: 96, height: 64, focus: 3, exposures: 1 });
const frames = small.frames.map((frame) => ({ ...frame, pixels: enlarge(frame.pixels) }));
const capture = { ...small, options: { ...small.options, width, height }, frames };
const scenario = makeScenario(
  {
    steps,
    patches: 64,
    atlas: { form: 'hash', log2Table: 16 },
    blur: { form: 'lens', log2Table: 16 },
    tilePixels: 2_000_000,
  },
  capture,
);
const rows: object[] = [];
for (const runners of [1, 2]) {
  const cluster = await Cluster.start({ runners, memory: 16 });
  try {
    const idle = await residentMb(cluster);
    await putScenario(cluster.store, 'large', scenario);
    await cluster.client.submit('large');
    const peak = idle.map(() => 0);
    const last = await cluster.client.follow('large', 600_000, async () => {
      for (const [i, mb] of (await residentMb(cluster)).entries()) peak[i] = Math.max(peak[i], mb);
    });
    rows.push({ runners, phase: last.phase, idleMb: idle, peakMb: peak });
  } finally {
    await cluster.stop();
  }
}
process.stdout.write(`${JSON.stringify({ width, height, tiles: scenario.plan.shards.length, rows })}\n`);

function enlarge(pixels: Uint8Array): Uint8Array {
  const large = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    const row = pixels.subarray(3 * 96 * (y % 64), 3 * 96 * ((y % 64) + 1));
    for (let x = 0; x < width; x += 96) {
      large.set(row.subarray(0, 3 * Math.min(96, width - x)), 3 * (y * width + x));
    }
  }
  return large;
}

async function residentMb(cluster: Cluster): Promise<number[]> {
  const all = await Promise.all(
    cluster.runners.map(
      (
        { metrics }, // Whoever copies gigabytes answers late: the next sample will do.
      ) => readMetrics(metrics).catch(() => undefined),
    ),
  );
  return all.map((m) => Math.round((m?.get('process_resident_memory_bytes') ?? 0) / 2 ** 20));
}
