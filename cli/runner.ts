import { totalmem } from 'node:os';
import { type Command, Option } from 'commander';
import { chooseEngine } from '../engine/choose.js';
import type { Engine, EngineName } from '../engine/engine.js';
import type { CudaEngine } from '../engine/native/cuda-engine.js';
import { createRegistry, serveMetrics } from '../proto/serve-metrics.js';
import { startRunner } from '../runner/runner.js';
import { type StoreFlags, storeLocation } from './shared/folders.js';
import { interruptible } from './shared/interrupt.js';
import { openObjects } from './shared/objects.js';
import {
  deviceOption,
  engineOption,
  memoryOption,
  securityOf,
  storeOption,
  type TlsFlags,
  threadsOption,
  tlsOptions,
  wholeNumber,
} from './shared/options.js';
import { programVersion } from './shared/version.js';

export function define(command: Command): void {
  command
    .requiredOption('--coordinator <host:port>', 'coordinator to work for')
    .option('--listen <host:port>', 'address for peers; port 0: any free one', '127.0.0.1:0')
    .option(
      '--advertise <host:port>',
      'address by which others reach this runner (default: where it listens)',
    )
    .option('--data <dir>', 'folder of everything that is kept (default: IMPLICAM_DATA, else ./data)')
    .addOption(storeOption())
    .option('--metrics <host:port>', 'serve /metrics and /healthz there')
    .addOption(memoryOption())
    .addOption(engineOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(
      new Option('--render-threads <n>', 'threads of a render (default: as --threads)').argParser(
        wholeNumber(1, 1024),
      ),
    );
  for (const option of tlsOptions()) command.addOption(option);
  command.action(async (options) => {
    await runRunner(options);
  });
}

export interface RunnerCommand extends TlsFlags, StoreFlags {
  readonly coordinator: string;
  readonly listen: string;
  readonly advertise?: string;
  readonly metrics?: string;
  readonly memory?: number;
  readonly engine?: EngineName;
  readonly device?: string;
  readonly threads?: number;
  readonly renderThreads?: number;
}

/** How long a runner that was asked to go waits for others to take its shards, in milliseconds. */
const DRAIN = 30_000;

/** `implicam runner`: works for a coordinator until it is stopped. */
export async function runRunner(command: RunnerCommand): Promise<void> {
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const { coordinator, listen, advertise, engine: name, threads, renderThreads, device } = command;
  await openObjects(command);
  const engine = await chooseEngine({
    ...(name ? { engine: name } : {}),
    ...(threads ? { threads } : {}),
    ...(device ? { device } : {}),
  });
  const renderEngine =
    renderThreads && engine.name === 'native'
      ? await chooseEngine({ engine: 'native', threads: renderThreads })
      : engine;
  const runner = await startRunner({
    coordinator,
    listen,
    ...(advertise ? { advertise } : {}),
    engine,
    renderEngine,
    store: storeLocation(command),
    ...(threads ? { threads } : {}),
    memoryBytes: command.memory ? command.memory * 2 ** 30 : memoryBytes(engine),
    version: programVersion(),
    security: securityOf(command),
    log,
  });
  const registry = createRegistry();
  runner.register(registry);
  const metrics = command.metrics ? await serveMetrics(registry, command.metrics) : undefined;
  const interrupt = interruptible(() => void runner.drain(DRAIN));
  await runner.ended;
  interrupt.release();
  metrics?.close();
}

/** Two thirds of what this process may take, or of what is free on its device. */
function memoryBytes(engine: Engine): number {
  if ('deviceMemory' in engine) return (2 / 3) * (engine as CudaEngine).deviceMemory;
  const limit = process.constrainedMemory();
  const total = totalmem();
  return (2 / 3) * (limit > 0 && limit < total ? limit : total);
}
