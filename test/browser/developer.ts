import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Claim, claimNext, renew } from '../../database/claims.js';
import type { Db } from '../../database/connection.js';
import type { Lease } from '../../database/lease.js';
import {
  appendEvents,
  cancelled,
  fail,
  finish,
  recordPhase,
  recordProgress,
} from '../../database/training-records.js';
import { develop } from '../../develop/develop.js';
import type { Development } from '../../develop/options.js';
import { OUTPUT_FILES, writeOutputs } from '../../develop/outputs.js';
import { readFrame } from '../../imaging/read.js';
import { encodeImage, imageKindOf, imageKinds } from '../../imaging/write.js';
import { ImplicamError } from '../../model/errors.js';
import type { Picture } from '../../model/picture.js';
import type { Preset, Quality } from '../../model/presets.js';
import { encodeSrgb } from '../../model/render/display-curves.js';
import type { ObjectStore } from '../../store/objects.js';

/** Who develops the sessions of a test: claims them as coordinators do, and trains on this process's own engine. */
export interface Developer {
  close(): Promise<void>;
}

const LEASE_SECONDS = 120;

/** @param mayEnd what a trained session waits for before it ends, for those who look at it meanwhile */
export function startDeveloper(db: Db, objects: ObjectStore, mayEnd: () => Promise<void>): Developer {
  let isOpen = true;
  const loop = async (): Promise<void> => {
    while (isOpen) {
      const claim = await claimNext(db, 'test developer', LEASE_SECONDS);
      if (claim) await developClaim(db, objects, claim, mayEnd);
      else await new Promise((done) => setTimeout(done, 50));
    }
  };
  const running = loop();
  return {
    close() {
      isOpen = false;
      return running;
    },
  };
}

async function developClaim(
  db: Db,
  objects: ObjectStore,
  claim: Claim,
  mayEnd: () => Promise<void>,
): Promise<void> {
  const { lease } = claim;
  const stop = new AbortController();
  // Reports are written one after another, in the order in which they were made.
  let written = Promise.resolve();
  const write = (job: () => Promise<unknown>): void => {
    written = written.then(() => job()).then(() => undefined);
    written.catch(() => stop.abort());
  };
  try {
    await recordPhase(db, lease, 'decode');
    const frames = [];
    for (const { name, objectKey } of claim.frames) {
      frames.push(await readFrame({ name, bytes: await objects.read(objectKey) }));
    }
    const development = await develop(frames, {
      preset: claim.preset as Preset,
      quality: claim.quality as Quality,
      seed: claim.seed,
      signal: stop.signal,
      onPhase: (phase) => write(() => recordPhase(db, lease, phase)),
      onNote: (text) => write(() => appendEvents(db, lease, [{ type: 'note', data: { text } }])),
      onPreview: (picture) => write(() => recordPreview(db, objects, lease, picture)),
      onProgress({ step, steps, loss, psnr, stepsPerSecond, secondsLeft }) {
        const progress = { step, stepsTotal: steps, loss, psnr, stepsPerSecond, secondsLeft };
        write(async () => {
          await recordProgress(db, lease, progress);
          if ((await renew(db, lease, LEASE_SECONDS)) !== 'continue') stop.abort();
        });
      },
    });
    await written;
    await mayEnd();
    const isStopped = (await renew(db, lease, LEASE_SECONDS)) !== 'continue';
    if (development.interrupted || isStopped) await cancelled(db, lease);
    else await keep(db, objects, claim, development, frames);
  } catch (error) {
    if (!(error instanceof ImplicamError)) throw error;
    // A session that was deleted meanwhile is nobody's any more.
    if (error.code !== 'lease-lost') await fail(db, lease, { code: error.code, message: error.message });
  }
}

async function recordPreview(db: Db, objects: ObjectStore, lease: Lease, picture: Picture): Promise<void> {
  const key = `sessions/${lease.session}/preview-0.jpg`;
  const shown = { ...picture, data: picture.data.map((v) => Math.min(1, encodeSrgb(v))) };
  await objects.put(key, await encodeImage('jpeg', shown));
  const { width, height } = picture;
  await appendEvents(db, lease, [
    { type: 'preview', data: { key, type: 'image/jpeg', width, height, step: 0 } },
  ]);
}

const KEPT = [OUTPUT_FILES.radiance, OUTPUT_FILES.defocus, OUTPUT_FILES.response] as const;

async function keep(
  db: Db,
  objects: ObjectStore,
  { lease, modelVersion }: Claim,
  development: Development,
  frames: Parameters<typeof develop>[0],
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'implicam-developed-'));
  try {
    const context = { frames, decodeSeconds: 0, versions: {} };
    const report = await writeOutputs(folder, development, context);
    const store = async (name: string) => {
      const bytes = await readFile(join(folder, name));
      const key = `sessions/${lease.session}/models/${modelVersion}/${name}`;
      await objects.put(key, bytes);
      return { name, key, bytes };
    };
    const outputs = [];
    for (const name of KEPT) {
      const { key, bytes } = await store(name);
      const type = name.endsWith('.json') ? 'application/json' : imageKinds[imageKindOf(name)].mediaType;
      outputs.push({ name, key, type, bytes: bytes.length });
    }
    const { key, bytes } = await store(OUTPUT_FILES.model);
    await finish(db, lease, {
      objectKey: key,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest(),
      parametersSha256: report.parametersSha256,
      steps: report.steps,
      loss: report.loss,
      psnr: report.framePsnr,
      outputs,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
