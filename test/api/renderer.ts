import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { claimNext } from '../../database/claims.js';
import type { Db } from '../../database/connection.js';
import { finish, recordPhase, recordProgress } from '../../database/training-records.js';
import { develop } from '../../develop/develop.js';
import { loadModel } from '../../develop/model-file/model-file.js';
import type { TrainedModel } from '../../develop/options.js';
import { OUTPUT_FILES, writeOutputs } from '../../develop/outputs.js';
import { renderFile } from '../../develop/render/render-file.js';
import { bakeScene } from '../../develop/render/scene-renderer.js';
import { RENDER_TYPES } from '../../edge-api/renders/query.js';
import { chooseEngine } from '../../engine/choose.js';
import { readFrame } from '../../imaging/read.js';
import { ImplicamError } from '../../model/errors.js';
import type { RenderQuery } from '../../model/render/query.js';
import type { BakedScene } from '../../model/render/render.js';
import type { ObjectStore } from '../../store/objects.js';

/**
 * The engine behind the API in one process, by the same contract that coordinators keep: sessions claimed from Postgres,
 * photographs and models in the object store, renders over HTTP. It trains and renders for real, a few steps long.
 */

/** Takes up the session that is next and trains it. @returns its id */
export async function trainNext(db: Db, objects: ObjectStore): Promise<string> {
  const claim = await claimNext(db, 'test coordinator', 120);
  if (!claim) throw new Error('no session waits');
  const { lease } = claim;
  await recordPhase(db, lease, 'decode');
  const frames = [];
  for (const { name, objectKey } of claim.frames) {
    frames.push(await readFrame({ name, bytes: await objects.read(objectKey) }));
  }
  await recordPhase(db, lease, 'train', claim.steps ?? 10);
  const developed = await develop(frames, { steps: claim.steps ?? 10, seed: claim.seed, quality: 'draft' });
  await recordProgress(db, lease, {
    step: developed.steps,
    stepsTotal: developed.steps,
    loss: developed.loss,
    psnr: developed.framePsnr,
    stepsPerSecond: 1,
    secondsLeft: 0,
  });
  const folder = await mkdtemp(join(tmpdir(), 'implicam-trained-'));
  try {
    const report = await writeOutputs(folder, developed, { frames, decodeSeconds: 0, versions: {} });
    const base = `sessions/${lease.session}/model-${claim.modelVersion}`;
    const outputs = [];
    for (const name of [OUTPUT_FILES.radiance, OUTPUT_FILES.defocus, OUTPUT_FILES.response]) {
      const bytes = await readFile(join(folder, name));
      const key = `${base}/${name}`;
      await objects.put(key, bytes);
      const type = { '.exr': 'image/x-exr', '.json': 'application/json' }[extname(name)]!;
      outputs.push({ name: basename(name), key, type, bytes: bytes.length });
    }
    const model = await readFile(join(folder, OUTPUT_FILES.model));
    const objectKey = `${base}.safetensors`;
    await objects.put(objectKey, model);
    await finish(db, lease, {
      objectKey,
      bytes: model.length,
      sha256: createHash('sha256').update(model).digest(),
      parametersSha256: report.parametersSha256,
      steps: developed.steps,
      loss: report.loss,
      psnr: report.framePsnr,
      outputs,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return lease.session;
}

export interface TestGateway {
  readonly url: string;
  readonly secret: string;
  /** Renders asked for so far. */
  count(): number;
  close(): Promise<void>;
}

/** Renders over HTTP, as a coordinator's gateway does. */
export async function startGateway(objects: ObjectStore): Promise<TestGateway> {
  const secret = 'a secret between two';
  const scenes = new Map<string, Promise<{ model: TrainedModel; scene: BakedScene }>>();
  let count = 0;
  const server: Server = createServer(async (request, response) => {
    if (request.url === '/healthz') return void response.end('ok');
    if (request.headers.authorization !== `Bearer ${secret}`) return void response.writeHead(401).end();
    count++;
    try {
      let text = '';
      for await (const piece of request) text += piece;
      const { model: key, query } = JSON.parse(text) as { model: string; query: RenderQuery };
      const known = scenes.get(key) ?? open(objects, key);
      scenes.set(key, known);
      const { model, scene } = await known;
      const bytes = await renderFile(scene, model, query);
      response.writeHead(200, { 'content-type': RENDER_TYPES[query.format] }).end(bytes);
    } catch (error) {
      const { status, code, message } =
        error instanceof ImplicamError ? error : { status: 500, code: 'internal', message: String(error) };
      response.writeHead(status, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ code, detail: message }));
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    secret,
    count: () => count,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

async function open(objects: ObjectStore, key: string) {
  const path = join(await mkdtemp(join(tmpdir(), 'implicam-model-')), 'model.safetensors');
  await writeFile(path, await objects.read(key));
  const model = await loadModel(path);
  await rm(join(path, '..'), { recursive: true, force: true });
  return { model, scene: await bakeScene(model, await chooseEngine()) };
}
