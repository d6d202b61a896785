import { createRoute, z } from '@hono/zod-openapi';
import type { Selectable } from 'kysely';
import type { ModelTable } from '../../migrations/schema.js';
import type { App, AppContext, Deps } from '../context.js';
import { toWebStream } from '../http/body.js';
import { refusal } from '../http/refusal.js';
import { matches, readModel } from '../renders/routes.js';
import { jsonAnswer, modelSchema, refused, sessionParams } from '../schemas.js';
import { readSession } from '../sessions/sessions.js';

const tags = ['Results'];
const binary = z.any().openapi({ type: 'string', format: 'binary' });

const modelParams = sessionParams.extend({
  version: z
    .string()
    .regex(/^(\d{1,9}|latest)$/)
    .describe('a number, or `latest`')
    .openapi({ param: { name: 'version', in: 'path' } }),
});
const outputParams = modelParams.extend({
  output: z
    .string()
    .min(1)
    .max(200)
    .openapi({ param: { name: 'output', in: 'path' } }),
});
const ranges = {
  200: { description: 'The file', content: { 'application/octet-stream': { schema: binary } } },
  206: { description: 'A part of it', content: { 'application/octet-stream': { schema: binary } } },
  304: { description: 'The one that the client has' },
};

const listModels = createRoute({
  method: 'get',
  path: '/v1/sessions/{session}/models',
  operationId: 'listModels',
  summary: 'List the trained models of a session',
  tags,
  request: { params: sessionParams },
  responses: { 200: jsonAnswer('Models, the newest first', z.array(modelSchema)), ...refused },
});

const getModel = createRoute({
  method: 'get',
  path: '/v1/sessions/{session}/models/{version}',
  operationId: 'getModel',
  summary: 'Get what is known of a model, its output files among it',
  tags,
  request: { params: modelParams },
  responses: { 200: jsonAnswer('The model', modelSchema), ...refused },
});

const getModelFile = createRoute({
  method: 'get',
  path: '/v1/sessions/{session}/models/{version}/file',
  operationId: 'getModelFile',
  summary: 'Download a model (safetensors)',
  description: 'Answers ranges, so that a download can be resumed.',
  tags,
  request: { params: modelParams },
  responses: { ...ranges, ...refused },
});

const getOutput = createRoute({
  method: 'get',
  path: '/v1/sessions/{session}/models/{version}/outputs/{output}',
  operationId: 'getOutput',
  summary: 'Download an output file: EXR, depth, response curve, …',
  tags,
  request: { params: outputParams },
  responses: { ...ranges, ...refused },
});

export function addResultRoutes(app: App, deps: Deps): void {
  app.openapi(listModels, async (c) => {
    const { session } = c.req.valid('param');
    await readSession(c.get('db'), c.get('principal').tenant, session);
    const rows = await c
      .get('db')
      .selectFrom('models')
      .selectAll()
      .where('session', '=', session)
      .orderBy('version', 'desc')
      .execute();
    return c.json(rows.map(presentModel), 200);
  });

  app.openapi(getModel, async (c) => {
    const { session, version } = c.req.valid('param');
    return c.json(presentModel(await modelOf(c, session, version)), 200);
  });

  app.openapi(getModelFile, async (c) => {
    const { session, version } = c.req.valid('param');
    const row = await modelOf(c, session, version);
    const name = `model-${row.version}.safetensors`;
    const { object_key: key, bytes } = row;
    const tag = `${row.sha256.toString('base64url')}`;
    return sendFile(c, deps, { name, key, bytes, type: 'application/octet-stream' }, tag);
  });

  app.openapi(getOutput, async (c) => {
    const { session, version, output } = c.req.valid('param');
    const row = await modelOf(c, session, version);
    const file = row.outputs.find(({ name }) => name === output);
    if (!file) {
      const names = row.outputs.map(({ name }) => name).join(', ') || 'none';
      throw refusal(404, 'output-missing', `there is no output of that name: there are ${names}`);
    }
    return sendFile(c, deps, file, `${row.sha256.toString('base64url')}-${file.name}`);
  });
}

async function modelOf(c: AppContext, session: string, version: string): Promise<Selectable<ModelTable>> {
  await readSession(c.get('db'), c.get('principal').tenant, session);
  return readModel(c.get('db'), session, version === 'latest' ? undefined : Number(version));
}

interface SentFile {
  readonly name: string;
  readonly key: string;
  readonly bytes: number;
  readonly type: string;
}

/** A file that never changes, whole or the one range that was asked for (RFC 9110 §14). */
async function sendFile(c: AppContext, deps: Deps, file: SentFile, tag: string): Promise<Response> {
  const etag = `"${tag.replace(/[^\w.-]/g, '_')}"`;
  const headers: Record<string, string> = {
    etag,
    'accept-ranges': 'bytes',
    'cache-control': 'private, max-age=3600',
    'content-type': file.type,
    'content-disposition': `attachment; filename="${file.name.replace(/[^\w.-]/g, '_')}"`,
  };
  if (matches(c, etag)) return c.body(null, 304, headers);
  const conditional = c.req.header('if-range');
  const range = conditional === undefined || conditional === etag ? c.req.header('range') : undefined;
  const part = readRange(range, file.bytes);
  if (!part) {
    headers['content-length'] = String(file.bytes);
    return c.body(toWebStream(await deps.objects.stream(file.key)), 200, headers);
  }
  const length = part.last - part.first + 1;
  headers['content-length'] = String(length);
  headers['content-range'] = `bytes ${part.first}-${part.last}/${file.bytes}`;
  return c.body(toWebStream(await deps.objects.stream(file.key, part.first, length)), 206, headers);
}

/** The one range asked for; undefined for the whole file, and for several ranges, which are not served. */
function readRange(
  field: string | undefined,
  bytes: number,
): { readonly first: number; readonly last: number } | undefined {
  const found = /^bytes=(\d*)-(\d*)$/.exec(field ?? '');
  if (!found || (found[1] === '' && found[2] === '')) return undefined;
  const [from, to] = [found[1], found[2]];
  const first = from === '' ? Math.max(0, bytes - Number(to)) : Number(from);
  const last = from === '' || to === '' ? bytes - 1 : Math.min(bytes - 1, Number(to));
  if (first > last) {
    throw refusal(416, 'range-invalid', `the file has ${bytes} bytes: ask for a range within them`);
  }
  return { first, last };
}

function presentModel(row: Selectable<ModelTable>): z.infer<typeof modelSchema> {
  return {
    version: row.version,
    bytes: row.bytes,
    sha256: row.sha256.toString('hex'),
    parametersSha256: row.parameters_sha256,
    steps: row.steps,
    loss: row.loss,
    psnr: row.psnr,
    outputs: row.outputs.map(({ name, type, bytes }) => ({ name, type, bytes })),
    createdAt: row.created_at.toISOString(),
  };
}
