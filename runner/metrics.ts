import { Gauge, type Registry } from 'prom-client';
import type { PeerLinks } from './exchange/peer-links.js';
import type { RenderQueue } from './renders/queue.js';
import type { HeldSnapshots } from './snapshots/held.js';
import type { TrainingHost } from './training-host.js';

/** The metrics of a runner on /metrics. */
export function registerMetrics(
  registry: Registry,
  parts: { host: TrainingHost; snapshots: HeldSnapshots; links: PeerLinks; renders: RenderQueue },
): void {
  const gauge = (name: string, help: string, value: () => number) => {
    new Gauge({
      name: `implicam_runner_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  };
  gauge('shards', 'Shards hosted now', () => parts.host.shardCount);
  gauge('sessions', 'Trainings known now', () => parts.host.trainingCount);
  gauge('snapshot_bytes', 'Snapshots held in memory', () => parts.snapshots.bytes());
  gauge('steps_total', 'Steps done', () => parts.host.totals.steps);
  gauge('step_seconds_total', 'Time in steps', () => parts.host.totals.stepSeconds);
  gauge(
    'reduction_seconds_total',
    'Time in the exchange of gradients',
    () => parts.host.totals.reductionSeconds,
  );
  gauge(
    'device_steps_total',
    'Steps whose gradients went from device to device',
    () => parts.host.totals.deviceSteps,
  );
  gauge('reduction_sent_bytes_total', 'Gradient bytes sent to peers', () => parts.links.traffic.sent);
  gauge('reduction_received_bytes_total', 'Gradient bytes from peers', () => parts.links.traffic.received);
  gauge('renders_total', 'Renders made', () => parts.renders.rendered);
}
