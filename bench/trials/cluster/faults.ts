import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, ClusterRunner } from './cluster.js';
import type { Weather } from './proxy.js';
import type { Random } from './random.js';

/** One thing that goes wrong, and is mended after a while. */
export interface Fault {
  /** What, to whom, for how long. */
  readonly name: string;
  /** The coordinator itself is away while it lasts: nobody can go on before its end. */
  readonly stopsAll: boolean;
  run(): Promise<void>;
}

type Maker = (cluster: Cluster, random: Random) => Fault;

/** As a supervisor would: whatever has died is started again. */
const RESTART_MS = 1000;

const MAKERS: Record<string, Maker> = {
  kill: (cluster, random) =>
    onRunner(cluster, random, 'kill -9', async (runner) => {
      await runner.program.kill();
      await sleep(RESTART_MS);
      cluster.restartRunner(runner);
    }),
  leave: (cluster, random) =>
    onRunner(cluster, random, 'SIGTERM', async (runner) => {
      await runner.program.stop(45_000);
      cluster.restartRunner(runner);
    }),
  freeze: (cluster, random) => {
    const ms = lasting(random, 12_000);
    return onRunner(cluster, random, `SIGSTOP for ${ms} ms`, async (runner) => {
      const { program } = runner;
      program.signal('SIGSTOP');
      await sleep(ms);
      program.signal('SIGCONT');
    });
  },
  upstream: (cluster, random) => {
    const weather = badWeather(random);
    return onRunner(cluster, random, `to the coordinator: ${weather.name}`, async ({ upstream }) => {
      upstream?.set(weather.kind, weather.delayMs);
      await sleep(weather.ms);
      upstream?.set('pass');
    });
  },
  inbound: (cluster, random) => {
    const weather = badWeather(random);
    return onRunner(cluster, random, `from its peers: ${weather.name}`, async ({ inbound }) => {
      inbound?.set(weather.kind, weather.delayMs);
      await sleep(weather.ms);
      inbound?.set('pass');
    });
  },
  isolate: (cluster, random) => {
    const weather = badWeather(random);
    return onRunner(cluster, random, `everything: ${weather.name}`, async ({ inbound, upstream }) => {
      for (const proxy of [inbound, upstream]) proxy?.set(weather.kind, weather.delayMs);
      await sleep(weather.ms);
      for (const proxy of [inbound, upstream]) proxy?.set('pass');
    });
  },
  reset: (cluster, random) => {
    const which = random.below(1000);
    return onRunner(cluster, random, 'one connection reset', async ({ inbound, upstream }) => {
      const proxy = inbound && inbound.connections > 0 && which % 2 === 0 ? inbound : upstream;
      proxy?.cut(which >> 1);
    });
  },
  coordinatorKill: (cluster, random) => {
    const ms = Math.round(random.between(0, 2000));
    return {
      name: `coordinator: kill -9, back after ${ms} ms`,
      stopsAll: true,
      async run() {
        await cluster.coordinator.kill();
        await sleep(ms);
        cluster.restartCoordinator();
        await cluster.coordinator.line(/^coordinator on /);
      },
    };
  },
  coordinatorFreeze: (cluster, random) => {
    const ms = lasting(random, 12_000);
    return {
      name: `coordinator: SIGSTOP for ${ms} ms`,
      stopsAll: true,
      async run() {
        const { coordinator } = cluster;
        coordinator.signal('SIGSTOP');
        await sleep(ms);
        coordinator.signal('SIGCONT');
      },
    };
  },
};

export const FAULTS: readonly string[] = Object.keys(MAKERS);

export function makeFault(kind: string, cluster: Cluster, random: Random): Fault {
  return MAKERS[kind](cluster, random);
}

function onRunner(
  cluster: Cluster,
  random: Random,
  what: string,
  act: (runner: ClusterRunner) => Promise<void>,
): Fault {
  const runner = random.pick(cluster.runners);
  return { name: `${runner.name}: ${what}`, stopsAll: false, run: () => act(runner) };
}

/** Short, middling and long, equally often: what nobody notices, and what everybody must. */
function lasting(random: Random, longest: number): number {
  return Math.round(longest * random.unit() ** 3 + 50);
}

function badWeather(random: Random): { kind: Weather; ms: number; delayMs: number; name: string } {
  const kind = random.pick<Weather>(['refuse', 'swallow', 'swallowUp', 'swallowDown', 'delay']);
  const ms = lasting(random, 12_000);
  const delayMs = Math.round(random.between(20, 400));
  return { kind, ms, delayMs, name: `${kind}${kind === 'delay' ? ` by ${delayMs} ms` : ''} for ${ms} ms` };
}
