import { setTimeout as sleep } from 'node:timers/promises';
import { lookOf, PREVIEW_WIDTH, seenOf } from '../../develop/render/preview-picture.js';
import { bakeScene } from '../../develop/render/scene-renderer.js';
import type { Engine } from '../../engine/engine.js';
import { ImplicamError } from '../../model/errors.js';
import type { Picture } from '../../model/picture.js';
import { createPlan, type Plan } from '../../model/plan.js';
import { joinParts, type PreviewPart, previewSize } from '../../model/render/preview-part.js';
import { composeAllInFocus } from '../../model/render/render.js';
import type { ObjectStore } from '../../store/objects.js';
import { type Member, type StoredPreview, shardsOf } from '../commands.js';
import type { PeerLinks } from '../exchange/peer-links.js';
import { readSceneHead, readStart, type SceneHead } from '../scenes/bundle.js';
import type { HeldSnapshots, ShardRange } from '../snapshots/held.js';
import type { PreviewSchedule } from './schedule.js';
import { storePreview } from './store.js';
import { bakeBytes, bakeTiles, heldParameters } from './tiles.js';
import { bakeAtPeer } from './transfer.js';

export interface PreviewerOptions {
  readonly engine: Engine;
  readonly store: ObjectStore;
  readonly snapshots: HeldSnapshots;
  readonly links: Pick<PeerLinks, 'client'>;
  /** A picture whose making takes more is not made. */
  readonly memoryBytes: number;
  readonly log: (line: string) => void;
}

/** A snapshot to make a picture of: what of it is here, and who has the rest. */
export interface PreviewSource {
  readonly training: string;
  readonly step: number;
  readonly plan: Plan;
  readonly shards: ShardRange;
  readonly others: readonly Member[];
}

/** How long a peer's snapshot of a step may come after ours, in milliseconds, and how often it is looked for. */
const LATE = 3000;
const LOOK_EVERY = 50;

/**
 * Makes pictures of trainings under way, from snapshots in this runner's memory, in trainers of their own: no
 * number of a training depends on it. Of tiles that other runners have each bakes its own, small. One at a time; what comes
 * meanwhile is left out.
 */
export class Previewer {
  private readonly options: PreviewerOptions;
  private busy = false;

  constructor(options: PreviewerOptions) {
    this.options = options;
  }

  /** Makes a picture of a snapshot where it is time for one and there is memory for it. Returns at once. */
  offer(source: PreviewSource, schedule: PreviewSchedule, onMade: (picture: StoredPreview) => void): void {
    const { training, step, plan, shards } = source;
    if (this.busy || bakeBytes(plan, this.bakedHere(plan, shards)) > this.options.memoryBytes) return;
    const began = performance.now();
    if (!schedule.isDue(step, began)) return;
    this.busy = true;
    let made = false;
    this.make(source)
      .then((picture) => {
        made = true;
        onMade(picture);
      })
      .catch((error) => this.options.log(`no preview of ${training} at step ${step}: ${error}`))
      .finally(() => {
        this.busy = false;
        schedule.took(performance.now() - began, made);
      });
  }

  /**
   * Tiles of a snapshot that is held here, or will be in a moment, as their part of a small picture.
   *
   * @throws ImplicamError `busy`, `preview-too-large`, `snapshot-missing`
   */
  async part(training: string, step: number, range: ShardRange, width: number): Promise<PreviewPart> {
    const { memoryBytes, store } = this.options;
    if (this.busy) throw new ImplicamError('busy', 'another small picture is being made', { status: 503 });
    this.busy = true;
    try {
      const head = await readSceneHead(store, training);
      const plan = planOf(head);
      const shards = shardsOf(range);
      const valid = shards.every((s) => plan.shards[s]?.tiled) && width >= 1 && width <= PREVIEW_WIDTH;
      if (!valid) throw new ImplicamError('preview-invalid', 'there are no such tiles');
      if (bakeBytes(plan, shards) > memoryBytes) {
        throw new ImplicamError('preview-too-large', 'its memory does not allow it', { status: 503 });
      }
      const state = await this.awaitParameters(training, step, plan, shards);
      return await bakeTiles(
        this.options,
        training,
        head,
        plan,
        state,
        shards,
        previewSize(plan.capture, width),
      );
    } finally {
      this.busy = false;
    }
  }

  private bakedHere(plan: Plan, shards: ShardRange): number[] {
    // A picture that is not tiled is baked as a whole by whoever has its first shard.
    return plan.shards[0].tiled ? shardsOf(shards) : [0];
  }

  private async awaitParameters(training: string, step: number, plan: Plan, shards: readonly number[]) {
    for (let waited = 0; waited < LATE; waited += LOOK_EVERY) {
      const state = heldParameters(this.options.snapshots, training, step, plan, shards);
      if (state) return state;
      await sleep(LOOK_EVERY);
    }
    const message = `no snapshot of step ${step} of ${training} is held here`;
    throw new ImplicamError('snapshot-missing', message, { status: 404 });
  }

  private async make({ training, step, plan, shards, others }: PreviewSource): Promise<StoredPreview> {
    const { engine, store, snapshots, links } = this.options;
    const here = this.bakedHere(plan, shards);
    // Decoded before anything is waited for: the snapshot may be dropped meanwhile.
    const state = heldParameters(snapshots, training, step, plan, here);
    if (!state) throw new ImplicamError('snapshot-missing', 'it is not held any more', { status: 404 });
    const head = await readSceneHead(store, training);
    const model = { ...head.model, state };
    let radiance: Picture;
    if (plan.shards[0].tiled) {
      const to = previewSize(plan.capture, PREVIEW_WIDTH);
      const parts = await Promise.all([
        bakeTiles(this.options, training, head, plan, state, here, to),
        ...others.map((other) =>
          bakeAtPeer(links.client(other), { training, step, shards: other.shards, width: to.width }),
        ),
      ]);
      radiance = joinParts(parts, to);
    } else {
      const start = await readStart(store, training, head, plan);
      radiance = composeAllInFocus(await bakeScene({ ...model, ...(start ? { start } : {}) }, engine));
    }
    const seen = seenOf(model.capture);
    return storePreview(store, training, radiance, lookOf(model), `preview-${step}.jpg`, undefined, seen);
  }
}

function planOf({ model: { capture, config, seed } }: SceneHead): Plan {
  return createPlan(capture, config, seed);
}
