import { createRoute, z } from '@hono/zod-openapi';
import { explainIssues } from '../../model/issues.js';
import type { CameraSettings } from '../../model/picture.js';
import type { App, AppContext, Deps } from '../context.js';
import { tooLarge } from '../http/body.js';
import type { BusyCounter } from '../http/busy.js';
import { refusal } from '../http/refusal.js';
import { fileName, requireCount, requireOpen } from '../photographs/photographs.js';
import { jsonAnswer, refused, sessionParams, statedCameraSchema, uploadSchema, uuid } from '../schemas.js';
import { readSession } from '../sessions/sessions.js';
import {
  appendToUpload,
  createUpload as beginUpload,
  deleteUpload as dropUpload,
  finishUpload,
  readUpload,
  type Upload,
} from './uploads.js';

const tags = ['Photographs'];
const TUS_VERSION = '1.0.0';
const EXTENSIONS = 'creation,expiration,termination';

const uploadParams = sessionParams.extend({
  upload: uuid.openapi({ param: { name: 'upload', in: 'path' } }),
});
const tusHeader = {
  'tus-resumable': z.literal(TUS_VERSION, { error: `send the header Tus-Resumable: ${TUS_VERSION}` }),
};
const bytes = z.coerce.number().int().min(0);

const createUpload = createRoute({
  method: 'post',
  path: '/v1/sessions/{session}/uploads',
  operationId: 'createUpload',
  summary: 'Begin a resumable upload of a photograph',
  description:
    'tus 1.0.0: use any client of it. Upload-Metadata: `frame` (the number, required), `filename`, `sha256` (hex), and ' +
    'the camera settings by their names.',
  tags,
  request: {
    params: sessionParams,
    headers: z.object({
      ...tusHeader,
      'upload-length': z.coerce.number().int().min(1).describe('bytes of the file'),
      'upload-metadata': z.string().max(4000).describe('pairs of a name and a value in base64'),
    }),
  },
  responses: { 201: jsonAnswer('Where to send it: the Location header', uploadSchema), ...refused },
});

const getUpload = createRoute({
  method: 'get',
  path: '/v1/sessions/{session}/uploads/{upload}',
  operationId: 'getUpload',
  summary: 'Ask how far an upload is',
  description: 'With HEAD, as tus asks: the header Upload-Offset.',
  tags,
  request: { params: uploadParams },
  responses: { 200: jsonAnswer('The upload', uploadSchema), ...refused },
});

const continueUpload = createRoute({
  method: 'patch',
  path: '/v1/sessions/{session}/uploads/{upload}',
  operationId: 'continueUpload',
  summary: 'Send the next part of an upload',
  description: 'With its last byte the photograph is judged and taken in, or refused.',
  tags,
  request: {
    params: uploadParams,
    headers: z.object({ ...tusHeader, 'upload-offset': bytes.describe('where the part begins') }),
    body: {
      content: {
        'application/offset+octet-stream': {
          schema: z.any().openapi({ type: 'string', format: 'binary' }),
        },
      },
      required: true,
    },
  },
  responses: { 204: { description: 'It is stored: the header Upload-Offset says how far' }, ...refused },
});

const deleteUpload = createRoute({
  method: 'delete',
  path: '/v1/sessions/{session}/uploads/{upload}',
  operationId: 'deleteUpload',
  summary: 'Give an upload up',
  tags,
  request: { params: uploadParams },
  responses: { 204: { description: 'It is gone' }, ...refused },
});

export function addUploadRoutes(app: App, deps: Deps, uploads: BusyCounter): void {
  app.openapi(createUpload, async (c) => {
    tusAnswer(c);
    const { session } = c.req.valid('param');
    const { 'upload-length': length, 'upload-metadata': metadata } = c.req.valid('header');
    if (length > deps.limits.frameBytes) throw tooLarge(deps.limits.frameBytes);
    const principal = c.get('principal');
    requireOpen((await readSession(c.get('db'), principal.tenant, session)).state);
    const described = readMetadata(metadata);
    await requireCount(c.get('db'), deps, session, described.number);
    const upload = await beginUpload(deps, c.get('db'), principal, session, {
      ...described,
      bytes: length,
      metadata,
    });
    c.header('location', `/v1/sessions/${session}/uploads/${upload.id}`);
    c.header('upload-expires', upload.expires_at.toUTCString());
    return c.json(presentUpload(upload), 201);
  });

  app.openapi(getUpload, async (c) => {
    tusAnswer(c);
    const { session, upload: id } = c.req.valid('param');
    await readSession(c.get('db'), c.get('principal').tenant, session);
    const upload = await readUpload(c.get('db'), session, id);
    c.header('upload-offset', String(upload.bytes_received));
    c.header('upload-length', String(upload.bytes_total));
    c.header('upload-metadata', upload.metadata);
    c.header('upload-expires', upload.expires_at.toUTCString());
    c.header('cache-control', 'no-store');
    return c.json(presentUpload(upload), 200);
  });

  app.openapi(continueUpload, async (c) => {
    tusAnswer(c);
    const { session, upload: id } = c.req.valid('param');
    const offset = c.req.valid('header')['upload-offset'];
    if (c.req.header('content-type') !== 'application/offset+octet-stream') {
      throw refusal(415, 'invalid-request', 'send parts as content-type: application/offset+octet-stream');
    }
    const principal = c.get('principal');
    const leave = uploads.enter(principal.tenant);
    try {
      await readSession(c.get('db'), principal.tenant, session);
      const upload = await readUpload(c.get('db'), session, id);
      const received =
        upload.state === 'done'
          ? upload.bytes_received
          : await appendToUpload(deps, c.get('db'), upload, offset, c.req.raw);
      if (received === upload.bytes_total && upload.state === 'open') {
        await finishUpload(deps, c.get('db'), principal, upload);
      }
      c.header('upload-offset', String(received));
      return c.body(null, 204);
    } finally {
      leave();
    }
  });

  app.openapi(deleteUpload, async (c) => {
    tusAnswer(c);
    const { session, upload: id } = c.req.valid('param');
    await readSession(c.get('db'), c.get('principal').tenant, session);
    await dropUpload(deps, c.get('db'), await readUpload(c.get('db'), session, id));
    return c.body(null, 204);
  });
}

/** What a tus server says of itself, in answer to OPTIONS. */
export function tusOptions(deps: Deps): Record<string, string> {
  return {
    'tus-resumable': TUS_VERSION,
    'tus-version': TUS_VERSION,
    'tus-extension': EXTENSIONS,
    'tus-max-size': String(deps.limits.frameBytes),
  };
}

const tusAnswer = (c: AppContext) => c.header('tus-resumable', TUS_VERSION);

/** Reads Upload-Metadata. @throws ImplicamError `invalid-request`, naming the entry */
function readMetadata(header: string): {
  number: number;
  name: string;
  sha256: Buffer | null;
  camera: CameraSettings;
} {
  const refuse = (what: string) => refusal(400, 'invalid-request', `header: upload-metadata: ${what}`);
  const entries: Record<string, string> = {};
  for (const pair of header.split(',')) {
    const [key, value = ''] = pair.trim().split(' ');
    if (!key || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) throw refuse('send pairs of a name and base64');
    entries[key] = Buffer.from(value, 'base64').toString();
  }
  const { frame, filename, sha256, filetype: _type, ...camera } = entries;
  if (!/^\d{1,4}$/.test(frame ?? '')) throw refuse('frame: say which photograph it is, 0 to 9999');
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256)) throw refuse('sha256: send 64 hex digits');
  const stated = statedCameraSchema.safeParse(camera);
  if (!stated.success) throw refuse(explainIssues(statedCameraSchema, camera, stated.error.issues));
  const number = Number(frame);
  return {
    number,
    name: fileName(filename, number),
    sha256: sha256 === undefined ? null : Buffer.from(sha256, 'hex'),
    camera: stated.data as CameraSettings,
  };
}

function presentUpload(row: Upload) {
  return {
    id: row.id,
    frame: row.number,
    name: row.name,
    bytes: row.bytes_total,
    received: row.bytes_received,
    done: row.state === 'done',
    expiresAt: row.expires_at.toISOString(),
  };
}
