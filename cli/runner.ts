import { totalmem } from 'node:os';
import { createRegistry, serveMetrics } from '../proto/metrics.js';
import { chooseEngine } from '../runner/engines/choose.js';
import type { CudaEngine } from '../runner/engines/cuda.js';
import type { Engine, EngineName } from '../runner/engines/engine.js';
import { startRunner } from '../runner/host/runner.js';
import { type StoreFlags, storeLocation } from './folders.js';
import { interruptible } from './interrupt.js';
import { openObjects } from './objects.js';
import { securityOf, type TlsFlags } from './options.js';
import { programVersion } from './version.js';

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
