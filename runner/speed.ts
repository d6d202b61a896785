import { type Engine, freshState } from '../engine/engine.js';
import { configSchema } from '../model/config.js';
import { initialParameters } from '../model/initial.js';
import { createPlan } from '../model/plan.js';

/** The reference workload: three small frames of different focus, patches of the default lens. */
const SIZE = { width: 96, height: 64 };
/** How long to measure, and a piece of it, in milliseconds. */
const DURATION = 400;
const PIECE = 10;

/**
 * Steps per second of the reference workload on this engine: the speed of a runner relative to others. The best of several
 * pieces counts: the load while programs start is not the load of the following hours, but would give one of two equal
 * runners twice the shards of the other.
 */
export async function measureSpeed(engine: Engine): Promise<number> {
  const { width, height } = SIZE;
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 2_654_435_761) >>> 24);
  const capture = {
    width,
    height,
    frames: [-1, 0, 1].map((_, focus) => ({ focus, exposure: 0, ev: 0, aperture: 1 })),
    focus: [-1, 0, 1],
    kappa: 2,
  };
  const config = configSchema.parse({ train: { steps: 1_000_000 } });
  const plan = createPlan(capture, config, 1);
  const trainer = await engine.open(
    plan,
    { frames: capture.frames.map(() => ({ data })) },
    freshState(initialParameters(plan)),
  );
  try {
    const rate = async (steps: number) => {
      const began = performance.now();
      await trainer.train(steps);
      return (steps * 1000) / (performance.now() - began);
    };
    let best = await rate(2);
    for (const end = performance.now() + DURATION; performance.now() < end; ) {
      best = Math.max(best, await rate(Math.max(1, Math.round((best * PIECE) / 1000))));
    }
    return best;
  } finally {
    trainer.close();
  }
}
