import { describe } from 'vitest';
import { type Engine, freshState } from '../engine.js';
import { missing, unless } from '../engines.fixture.js';
import { createCudaEngine } from '../native/cuda-engine.js';
import { createNativeEngine, nativeIsas } from '../native/native-engine.js';
import { createDoubleEngine } from '../tfjs/double-precision.fixture.js';
import { createTfjsEngine } from '../tfjs/tfjs-engine.js';
import type { RandomModel } from './random-models.js';

/** Loss and gradient of a step as a function of doubles. */
export type LossInDoubles = (
  parameters: Float64Array,
  step: number,
) => Promise<{ readonly loss: number; readonly gradient: Float64Array }>;

/** An engine that has to pass the suites of this folder, and what it promises beyond the contract of `Engine`. */
interface EngineUnderTest {
  readonly name: string;
  /** Why it cannot run here. */
  readonly missing?: string;
  /** Makes it with some of its `kernels`, and in one of its `ways`; the first where nothing is said. */
  create(kernels?: string, way?: string): Engine | Promise<Engine>;
  /** Code for different machines: their bits may differ, each has to be right. @default one */
  readonly kernels?: readonly string[];
  /** What changes no bit, such as numbers of threads. @default one, and it does the same again */
  readonly ways?: readonly string[];
  /** Its trainers share a step's shards: `reducing`. */
  readonly shares?: true;
  /**
   * Its loss in double precision, for finite differences along several parameters of each group, or, where it takes its
   * time, along one direction that has all of them. Without it the gradient is only held to the reference's, which has it.
   */
  readonly double?: {
    readonly along: 'parameters' | 'direction';
    /** Called once; globals that it changes are reset after its tests. */
    start(): Promise<(model: RandomModel) => Promise<LossInDoubles>>;
  };
  /** Steps that show what they have to. @default 12: the sharpest view begins to count at the ninth */
  readonly steps?: number;
  /** How much of it there is time for: `small` is models of a few hundred pixels. @default all */
  readonly effort?: 'less' | 'small';
}

/** All of them. The last is the reference. */
const ENGINES: readonly EngineUnderTest[] = [
  {
    name: 'native',
    missing: missing.native,
    create: (isa, threads = '2') => createNativeEngine({ isa, threads: Number(threads) }),
    kernels: nativeIsas(),
    ways: ['2', '1', '3', '1'],
    shares: true,
    double: {
      along: 'parameters',
      start: async () => async (model) => {
        const trainer = await open(createNativeEngine({ isa: 'f64', threads: 1 }), model);
        return (parameters, step) => trainer.gradientAt(parameters, step);
      },
    },
  },
  {
    name: 'emulated device',
    missing: missing.emulated,
    create: (_, device = 'forward') => createCudaEngine({ library: 'emulated', device }),
    // Orders of blocks and threads show sums whose order is left to chance, and phases that read what others of them
    // write. Multiprocessors and their memory choose wide, middle and narrow tiles.
    ways: ['forward', 'shuffled', 'reverse', 'forward', 'forward/1/228', 'forward/1/64', 'forward/1000/64'],
    shares: true,
    steps: 3,
    effort: 'less',
  },
  {
    name: 'CUDA device',
    missing: missing.cuda,
    create: () => createCudaEngine(),
    ways: ['', '', ''],
    shares: true,
    steps: 20,
    effort: 'less',
  },
  {
    name: 'tfjs',
    create: () => createTfjsEngine(),
    double: {
      along: 'direction',
      start: async () => {
        const engine = await createDoubleEngine();
        return async (model) => {
          const trainer = await open(engine, model);
          return async (parameters, step) => {
            await trainer.load(freshState(parameters as unknown as Float32Array));
            const { loss, gradient } = await trainer.gradient(step);
            return { loss, gradient: gradient as unknown as Float64Array };
          };
        };
      },
    },
    steps: 2,
    effort: 'small',
  },
];

const REFERENCE = ENGINES.at(-1)!;
export const createReference = async () => REFERENCE.create();

function open<T>(
  engine: { open(...of: Parameters<Engine['open']>): Promise<T> },
  { plan, data, parameters }: RandomModel,
): Promise<T> {
  return engine.open(plan, data, freshState(parameters));
}

/** An engine with some of its kernels. */
export interface Subject extends Pick<EngineUnderTest, 'shares' | 'double' | 'effort'> {
  readonly ways: readonly string[];
  readonly steps: number;
  create(way?: string): Promise<Engine>;
}

interface Which {
  /** With each of its kernels, not only the first. */
  readonly everyKernel?: boolean;
  readonly but?: 'the reference';
  readonly if?: (engine: EngineUnderTest) => unknown;
}

/** A `describe` for each engine, skipped where it cannot run. */
export function describeEngines(about: string, body: (engine: Subject) => void, which: Which = {}): void {
  for (const engine of ENGINES) {
    if (which.but && engine === REFERENCE) continue;
    if (which.if && !which.if(engine)) continue;
    const [first, ...others] = engine.kernels ?? [];
    for (const kernels of which.everyKernel ? [first, ...others] : [first]) {
      const name = which.everyKernel && kernels ? `${engine.name} ${kernels}` : engine.name;
      const { ways = ['', ''], steps = 12 } = engine;
      const create = async (way: string | undefined = ways[0]) => engine.create(kernels, way || undefined);
      unless(engine.missing, describe)(`${name}: ${about}`, () => body({ ...engine, ways, steps, create }));
    }
  }
}
