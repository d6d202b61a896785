import type { ObjectStore } from '../../store/objects.js';
import type { Engine } from '../engines/engine.js';
import type { PeerLinks } from './peer-links.js';
import type { Previewer } from './previewer.js';
import type { SnapshotVault } from './snapshot-vault.js';
import type { StepTotals } from './step-exchange.js';

/** What a runner's sessions share. */
export interface HostServices {
  readonly engine: Engine;
  readonly store: ObjectStore;
  readonly vault: SnapshotVault;
  readonly links: PeerLinks;
  readonly previewer: Previewer;
  readonly totals: StepTotals;
}
