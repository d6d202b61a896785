import { z } from 'zod';

/**
 * What happens to a session, as its clients hear of it: event stream, webhooks and the list of events alike. Each event
 * has a number within its session (1, 2, 3, … without gaps), so that a client that was away asks for what is after the
 * last one that it has.
 */

const count = z.int().min(0);
const measure = z.number().nullable();

export const eventSchemas = {
  created: z.strictObject({}).describe('the session exists'),
  frame: z
    .strictObject({ number: count, name: z.string(), bytes: count, sha256: z.string() })
    .describe('a photograph was taken in'),
  'frame-removed': z.strictObject({ number: count }).describe('a photograph was taken out'),
  queued: z
    .strictObject({ run: count, preset: z.string(), quality: z.string() })
    .describe('training was asked for'),
  requeued: z.strictObject({ run: count }).describe('a coordinator went away: another will continue'),
  started: z.strictObject({ run: count }).describe('a coordinator took the session up'),
  waiting: z.strictObject({ reason: z.string() }).describe('training waits for runners'),
  phase: z
    .strictObject({ phase: z.enum(['decode', 'register', 'start', 'train', 'render']) })
    .describe('what the training does now'),
  note: z.strictObject({ text: z.string() }).describe('what was decided and why'),
  preview: z
    .strictObject({
      key: z.string(),
      type: z.string(),
      width: count,
      height: count,
      step: count,
    })
    .describe('a picture of what is learned so far'),
  progress: z
    .strictObject({
      step: count,
      stepsTotal: count,
      loss: measure,
      psnr: measure,
      stepsPerSecond: z.number().min(0),
      secondsLeft: z.number().min(0),
    })
    .describe('training goes on'),
  placed: z
    .strictObject({ runners: count, shards: count, step: count })
    .describe('the shards were given to runners; after a loss, from the step of the newest snapshot'),
  snapshot: z.strictObject({ step: count }).describe('everything up to this step is safe'),
  trained: z
    .strictObject({ model: count, steps: count, loss: measure, psnr: measure })
    .describe('done: renders can be asked for'),
  failed: z
    .strictObject({ code: z.string(), message: z.string() })
    .describe('training ended without a result, and why'),
  cancelled: z
    .strictObject({ step: count.nullable() })
    .describe('stopped on request; can be continued from here'),
} as const;

export type EventType = keyof typeof eventSchemas;
export type EventData<T extends EventType> = z.output<(typeof eventSchemas)[T]>;

export const EVENT_TYPES = Object.keys(eventSchemas) as EventType[];

/** After one of these nothing more comes until a client asks for something. */
export const FINAL_EVENTS: readonly EventType[] = ['trained', 'failed', 'cancelled'];

/** An event to be appended, its data as its schema has it. */
export type NewEvent = { [T in EventType]: { readonly type: T; readonly data: EventData<T> } }[EventType];
