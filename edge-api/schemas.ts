import { z } from '@hono/zod-openapi';
import { EVENT_TYPES } from '../database/events.js';
import { SESSION_STATES } from '../migrations/schema.js';
import { PRESETS, QUALITIES } from '../model/presets.js';
import { PROBLEM_TYPE, problemSchema } from './http/problem.js';

/** What goes over the wire, declared once: validation, types and the OpenAPI document come from here. */

export const uuid = z.uuid();
const time = z.iso.datetime().describe('UTC');

export const sessionParams = z.object({ session: uuid.openapi({ param: { name: 'session', in: 'path' } }) });
const frameNumber = z
  .string()
  .regex(/^\d{1,4}$/, 'a photograph is named by a number, 0 to 9999')
  .transform(Number)
  .openapi({ type: 'integer', minimum: 0, maximum: 9999 });
export const frameParams = sessionParams.extend({
  frame: frameNumber.describe('place in the capture').openapi({ param: { name: 'frame', in: 'path' } }),
});

const preset = z.enum(PRESETS).describe('what kind of capture it is; auto: told by the pictures');
const quality = z
  .enum(QUALITIES)
  .describe('how long to train; instant: not at all, the classical picture at once');
const gps = z.boolean().describe('whether results say where the photographs were taken, where these do');
const notes = z.string().max(2000).describe("the client's own, kept as it is");

export const newSessionSchema = z
  .strictObject({
    preset: preset.default('auto'),
    quality: quality.default('standard'),
    notes: notes.default(''),
    gps: gps.default(false),
  })
  .openapi('NewSession');

const progressShape = {
  run: z.int().describe('0: training was never asked for'),
  position: z.int().nullable().describe('place in the queue, 1 for the next; null where it does not wait'),
  phase: z.string().nullable(),
  step: z.int().nullable(),
  stepsTotal: z.int().nullable(),
  loss: z.number().nullable(),
  psnr: z.number().nullable().describe('of the newest step against the photographs, dB'),
};

export const failureSchema = z.object({ code: z.string(), message: z.string() }).openapi('Failure');

export const sessionSchema = z
  .object({
    id: uuid,
    state: z.enum(SESSION_STATES).exclude(['deleting']),
    preset: z.string(),
    quality: z.string(),
    notes: z.string(),
    gps: z.boolean(),
    frames: z.int().describe('photographs taken in'),
    width: z.int().nullable().describe('of every photograph, in pixels'),
    height: z.int().nullable(),
    training: z.object(progressShape),
    model: z.int().nullable().describe('version of the newest trained model'),
    error: failureSchema.nullable(),
    lastEvent: z.int().describe('number of the newest event'),
    createdAt: time,
    updatedAt: time,
  })
  .openapi('Session');
export type SessionResource = z.infer<typeof sessionSchema>;

export const sessionListSchema = z
  .object({
    sessions: z.array(sessionSchema),
    next: z.string().nullable().describe('what to send as `after` for those that follow'),
  })
  .openapi('SessionList');

const positive = (text: string) => z.coerce.number().positive().max(1e9).optional().describe(text);
const cameraShape = {
  exposureTime: positive('seconds'),
  fNumber: positive('N of f/N'),
  iso: positive('ISO speed'),
  exposureBias: z.coerce.number().min(-32).max(32).optional().describe('exposure compensation, stops'),
  focalLength: positive('millimetres'),
  focusDistance: positive('metres'),
  time: z.coerce.number().min(0).max(1e15).optional().describe('milliseconds since 1970'),
};

export const cameraSchema = z
  .object({ ...cameraShape, camera: z.string().optional() })
  .openapi('CameraSettings');
/** Settings that a client states; they go before what EXIF says. */
export const statedCameraSchema = z.strictObject(cameraShape).openapi('StatedCamera');

export const frameUploadQuery = z.strictObject({
  name: z.string().min(1).max(1000).optional().describe('file name, for messages'),
  ...cameraShape,
});

export const frameSchema = z
  .object({
    number: z.int(),
    name: z.string(),
    bytes: z.int(),
    sha256: z.string(),
    format: z.string(),
    width: z.int().nullable(),
    height: z.int().nullable(),
    camera: cameraSchema,
    state: z.enum(['checked', 'unchecked']).describe('unchecked: only its first bytes were judged so far'),
    createdAt: time,
  })
  .openapi('Frame');
export type FrameResource = z.infer<typeof frameSchema>;

export const uploadSchema = z
  .object({
    id: uuid,
    frame: z.int(),
    name: z.string(),
    bytes: z.int(),
    received: z.int(),
    done: z.boolean(),
    expiresAt: time,
  })
  .openapi('Upload');

export const startTrainingSchema = z
  .strictObject({
    preset: preset.optional().describe("default: the session's"),
    quality: quality.optional().describe("default: the session's"),
    seed: z
      .int()
      .min(0)
      .max(2 ** 31 - 1)
      .default(1)
      .describe('of everything drawn at random'),
    steps: z.int().min(1).max(1_000_000).optional().describe('default: what the quality says'),
    resume: z
      .boolean()
      .default(false)
      .describe(
        'continue the run that was cancelled or failed from its newest snapshot, as it was asked for',
      ),
  })
  .openapi('StartTraining');

export const trainingSchema = z
  .object({
    state: sessionSchema.shape.state,
    ...progressShape,
    cancelRequested: z.boolean(),
    snapshotStep: z.int().nullable().describe('everything up to this step is safe'),
    shards: z.array(z.object({ shard: z.int(), runner: z.string(), device: z.string() })),
    error: failureSchema.nullable(),
  })
  .openapi('Training');

export const eventSchema = z
  .object({
    number: z.int().describe('1, 2, 3, … within the session'),
    type: z.enum(EVENT_TYPES),
    at: time,
    data: z.record(z.string(), z.unknown()).describe('see the list of events'),
  })
  .openapi('Event');
export type EventResource = z.infer<typeof eventSchema>;

export const outputSchema = z
  .object({ name: z.string(), type: z.string(), bytes: z.int() })
  .openapi('Output');

export const modelSchema = z
  .object({
    version: z.int(),
    bytes: z.int(),
    sha256: z.string(),
    parametersSha256: z.string().describe('equal where two trainings learned the same'),
    steps: z.int(),
    loss: z.number().nullable(),
    psnr: z.number().nullable(),
    outputs: z.array(outputSchema),
    createdAt: time,
  })
  .openapi('Model');

const keyLimitShape = {
  ratePerMinute: z.int().min(1).max(1_000_000),
  burst: z.int().min(1).max(1_000_000),
  maxSessions: z.int().min(0).max(1_000_000),
  maxBytes: z.int().min(0),
  maxActive: z.int().min(0).max(10_000),
};
export const newKeySchema = z
  .strictObject({
    name: z.string().min(1).max(200),
    managesKeys: z.boolean().default(false).describe('whether it may make, list and revoke keys'),
    expiresAt: time.optional(),
    ...z.object(keyLimitShape).partial().shape,
  })
  .openapi('NewKey');
export const keySchema = z
  .object({
    id: uuid,
    name: z.string(),
    prefix: z.string().describe('how the key begins'),
    managesKeys: z.boolean(),
    ...keyLimitShape,
    createdAt: time,
    expiresAt: time.nullable(),
    revokedAt: time.nullable(),
  })
  .openapi('Key');
export const madeKeySchema = keySchema
  .extend({ key: z.string().describe('the key itself: shown this once') })
  .openapi('MadeKey');

export const newWebhookSchema = z
  .strictObject({
    url: z.url({ protocol: /^https?$/ }).max(2000),
    events: z
      .array(z.enum(EVENT_TYPES))
      .min(1)
      .default(['queued', 'started', 'trained', 'failed', 'cancelled'])
      .describe('which events are sent'),
  })
  .openapi('NewWebhook');
export const webhookSchema = z
  .object({
    id: uuid,
    url: z.string(),
    events: z.array(z.string()),
    active: z.boolean(),
    waiting: z.int().describe('deliveries still to be made'),
    failed: z.int().describe('deliveries that were given up'),
    lastResult: z.string().nullable(),
    createdAt: time,
  })
  .openapi('Webhook');
export const madeWebhookSchema = webhookSchema
  .extend({ secret: z.string().describe('signs deliveries: shown this once') })
  .openapi('MadeWebhook');

export const readySchema = z
  .object({ ready: z.boolean(), parts: z.record(z.string(), z.string()) })
  .openapi('Readiness');

/** A JSON answer of a route. */
export function jsonAnswer<T extends z.ZodType>(description: string, schema: T) {
  return { description, content: { 'application/json': { schema } } };
}

/** A JSON body of a request. */
export function jsonBody<T extends z.ZodType>(schema: T, required = true) {
  return { content: { 'application/json': { schema } }, required };
}

/** What every route may answer with. */
export const refused = {
  default: {
    description: 'Refused: why, and what to do',
    content: { [PROBLEM_TYPE]: { schema: problemSchema } },
  },
};

export const idempotencyHeader = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe('the same key with the same request gives the first answer again, and does nothing twice'),
});
