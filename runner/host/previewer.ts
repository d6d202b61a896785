import type { Plan } from '../../model/plan.js';
import { composeAllInFocus } from '../../model/render.js';
import type { ObjectStore } from '../../store/objects.js';
import { type Engine, freshState } from '../engines/engine.js';
import { readSceneHead, readStart } from '../scene-bundle.js';
import { bakeScene } from '../scene-renderer.js';
import { decodePart, partsOf } from '../snapshot-parts.js';
import type { StoredPreview } from './orders.js';
import type { PreviewSchedule } from './preview-schedule.js';
import type { SnapshotVault } from './snapshot-vault.js';
import { storePreview } from './store-preview.js';

export interface PreviewerOptions {
  readonly engine: Engine;
  readonly store: ObjectStore;
  readonly vault: SnapshotVault;
  /** A picture whose making takes more is not made. */
  readonly memoryBytes: number;
  readonly log: (line: string) => void;
}

/** A pixel's radiance and defocus of two layers, and what is made of them, in bytes. */
const BYTES_A_PIXEL = 80;

/**
 * Makes pictures of trainings under way, from snapshots in this runner's memory, in engine sessions of their own: no
 * number of a training depends on it. One at a time; what comes meanwhile is left out.
 */
export class Previewer {
  private readonly options: PreviewerOptions;
  private busy = false;

  constructor(options: PreviewerOptions) {
    this.options = options;
  }

  /** Makes a picture of a snapshot where it is time for one and all its parts are held here. Returns at once. */
  offer(
    session: string,
    step: number,
    plan: Plan,
    schedule: PreviewSchedule,
    onMade: (picture: StoredPreview) => void,
  ): void {
    const { vault, memoryBytes, log } = this.options;
    const { width, height } = plan.capture;
    const bytes = BYTES_A_PIXEL * width * height + 12 * plan.layout.size;
    if (this.busy || bytes > memoryBytes) return;
    const parts = partsOf(plan).filter(({ from, to }) => from < to);
    // Tiles of other runners are not fetched for it.
    if (parts.some(({ name }) => !vault.get(session, step, name))) return;
    const began = performance.now();
    if (!schedule.isDue(step, began)) return;
    this.busy = true;
    this.make(session, step, plan)
      .then(onMade)
      .catch((error) => log(`no preview of ${session} at step ${step}: ${error}`))
      .finally(() => {
        this.busy = false;
        schedule.took(performance.now() - began);
      });
  }

  private async make(session: string, step: number, plan: Plan): Promise<StoredPreview> {
    const { engine, store, vault } = this.options;
    const state = { ...freshState(new Float32Array(plan.layout.size)), step };
    // Decoded before anything is waited for: the vault may drop the snapshot meanwhile.
    for (const part of partsOf(plan)) {
      if (part.from < part.to) decodePart(vault.get(session, step, part.name)!, state, part);
    }
    const head = await readSceneHead(store, session);
    const start = await readStart(store, session, head, plan);
    const model = { ...head.model, ...(start ? { start } : {}), state };
    const radiance = composeAllInFocus(await bakeScene(model, engine));
    return storePreview(store, session, model, radiance, `preview-${step}.jpg`);
  }
}
