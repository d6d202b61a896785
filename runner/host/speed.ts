import { configSchema } from '../../model/config.js';
import { initialParameters } from '../../model/initial.js';
import { createPlan } from '../../model/plan.js';
import { type Engine, freshState } from '../engines/engine.js';

/** The reference workload: three small frames of different focus, patches of the default lens. */
const SIZE = { width: 96, height: 64 };
/** How long to measure, in milliseconds. */
const DURATION = 300;

/** Steps a second of the reference workload on this engine: how fast a runner is beside others. */
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
  const session = await engine.open(
    plan,
    { frames: capture.frames.map(() => ({ data })) },
    freshState(initialParameters(plan)),
  );
  try {
    await session.train(2);
    const began = performance.now();
    const { step } = await session.train(1_000_000, { signal: AbortSignal.timeout(DURATION) });
    return ((step - 2) * 1000) / (performance.now() - began);
  } finally {
    session.close();
  }
}
