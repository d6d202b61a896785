import type { Engine } from '../engine/engine.js';
import type { ObjectStore } from '../store/objects.js';
import type { PeerLinks } from './exchange/peer-links.js';
import type { Previewer } from './previews/previewer.js';
import type { HeldSnapshots } from './snapshots/held.js';

/** Sums over all steps, for the metrics. */
export interface StepTotals {
  steps: number;
  stepSeconds: number;
  reductionSeconds: number;
  /** Steps whose gradients went from device to device. */
  deviceSteps: number;
}

/** What a runner's trainings share. */
export interface HostServices {
  readonly engine: Engine;
  readonly store: ObjectStore;
  readonly snapshots: HeldSnapshots;
  readonly links: PeerLinks;
  readonly previewer: Previewer;
  readonly totals: StepTotals;
  /** One line of what happens. */
  readonly log: (line: string) => void;
}
