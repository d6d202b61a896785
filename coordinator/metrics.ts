import { Counter, Gauge, type Registry } from 'prom-client';
import type { Command } from './scheduler/types.js';
import type { RunnerStreams } from './wire/runner-streams.js';

/** Folds the scheduler's commands into counters. */
export function observeCommands(
  registry: Registry,
  streams: () => RunnerStreams,
): (command: Command) => void {
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `implicam_coordinator_${name}`, help, labelNames, registers });
  const steps = counter('steps_total', 'Steps that every shard of a training has done');
  const placements = counter('placements_total', 'Trainings placed on runners');
  const recoveries = counter('recoveries_total', 'Trainings placed again while they were training');
  const commits = counter('snapshots_total', 'Snapshots committed');
  const damaged = counter(
    'damaged_snapshots_total',
    'Snapshots of the object store that turned out to be damaged',
  );
  const ends = counter('sessions_total', 'Trainings that ended', ['how']);
  const shards = new Gauge({
    name: 'implicam_coordinator_shards',
    help: 'Shards on each runner',
    labelNames: ['runner'],
    registers,
  });
  new Gauge({
    name: 'implicam_coordinator_runners',
    help: 'Runners attached',
    registers,
    collect() {
      this.set(streams().all().length);
    },
  });
  const placed = new Map<string, readonly { runner: string; count: number }[]>();
  const reached = new Map<string, number>();
  const showShards = () => {
    shards.reset();
    for (const members of placed.values()) for (const m of members) shards.inc({ runner: m.runner }, m.count);
  };
  return (command) => {
    switch (command.type) {
      case 'placed':
        placements.inc();
        if (reached.has(command.training)) recoveries.inc();
        reached.set(command.training, command.step);
        placed.set(
          command.training,
          command.placement.map(({ runner, shards: { count } }) => ({ runner, count })),
        );
        showShards();
        break;
      case 'progress': {
        const before = reached.get(command.training) ?? command.step;
        if (command.step > before) steps.inc(command.step - before);
        reached.set(command.training, command.step);
        break;
      }
      case 'commit':
        commits.inc();
        break;
      case 'damaged':
        damaged.inc();
        break;
      case 'waiting':
        placed.delete(command.training);
        showShards();
        break;
      case 'finished':
      case 'failed':
      case 'cancelled':
      case 'dropped':
        ends.inc({ how: command.type });
        placed.delete(command.training);
        reached.delete(command.training);
        showShards();
        break;
    }
  };
}
