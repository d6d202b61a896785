import type { ObjectStore } from '../../store/objects.js';
import type { Engine } from '../engines/engine.js';
import type { PeerLinks } from './peer-links.js';
import type { Previewer } from './previewer.js';
import type { SnapshotVault } from './snapshot-vault.js';

/** Sums over all steps, for the metrics. */
export interface StepTotals {
  steps: number;
  stepSeconds: number;
  reductionSeconds: number;
  /** Steps whose gradients went from device to device. */
  deviceSteps: number;
}

/** What a runner's sessions share. */
export interface HostServices {
  readonly engine: Engine;
  readonly store: ObjectStore;
  readonly vault: SnapshotVault;
  readonly links: PeerLinks;
  readonly previewer: Previewer;
  readonly totals: StepTotals;
  /** One line of what happens. */
  readonly log: (line: string) => void;
}
