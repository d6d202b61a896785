import { expect, test } from 'vitest';
import type { z } from 'zod';
import { EVENT_TYPES, eventSchemas, FINAL_EVENTS } from '../../database/events.js';
import { PRESETS, QUALITIES } from '../../model/presets.js';
import { readRenderQuery, renderUrlQuery } from '../renders/query.js';
import type { EventResource, FrameResource, modelSchema, SessionResource } from '../schemas.js';
import {
  FIRST_LOOK,
  type Look,
  pixelsFor,
  type RenderFormat,
  renderPath,
} from './browser/client/render-query.js';
import type { SessionEvent } from './browser/client/resources.js';
import {
  FINAL_EVENTS as FINAL_OF_PAGE,
  type Frame,
  type Model,
  type Session,
} from './browser/client/resources.js';
import { apertureOf } from './browser/ui/format.js';
import { PRESET_WORDS, QUALITY_WORDS } from './browser/ui/words.js';

/** What the page takes the API to be is what it is. */

/** Compiles only where what the API answers with is what the page reads. */
const read = {
  session: (session: SessionResource): Session => session,
  frame: (frame: FrameResource): Frame => frame,
  model: (model: z.infer<typeof modelSchema>): Model => model,
  event: (event: EventResource): SessionEvent => event,
};

test('the page knows every preset, quality and end of a training', () => {
  expect(Object.keys(read)).toHaveLength(4);
  expect(PRESET_WORDS.map(([value]) => value)).toEqual([...PRESETS]);
  expect(QUALITY_WORDS.map(([value]) => value)).toEqual([...QUALITIES]);
  expect(FINAL_OF_PAGE).toEqual(FINAL_EVENTS);
});

test('the events that the page reads are told with those fields', () => {
  const fields = (type: keyof typeof eventSchemas) => Object.keys(eventSchemas[type].shape);
  expect(fields('progress')).toEqual(
    expect.arrayContaining(['step', 'stepsTotal', 'loss', 'psnr', 'stepsPerSecond', 'secondsLeft']),
  );
  expect(fields('placed')).toEqual(expect.arrayContaining(['runners', 'step']));
  for (const [type, field] of [
    ['queued', 'run'],
    ['waiting', 'reason'],
    ['phase', 'phase'],
    ['note', 'text'],
    ['preview', 'step'],
  ] as const) {
    expect(EVENT_TYPES).toContain(type);
    expect(fields(type)).toContain(field);
  }
});

const target = { session: '7c1f1a52-8a3b-4a86-9d0e-3f0f5c1d2b3a', model: 3, width: 600, height: 400 };

/** What the API understands of an address that the page asks for. */
function understood(look: Look, format: RenderFormat, pixels?: number) {
  const url = new URL(renderPath(target, look, format, pixels), 'http://host');
  expect(url.pathname).toBe(`/v1/sessions/${target.session}/render`);
  const parsed = renderUrlQuery.parse(Object.fromEntries(url.searchParams));
  expect(parsed.model).toBe('3');
  return readRenderQuery(parsed, undefined).query;
}

test('the API understands what the page asks for', () => {
  expect(understood(FIRST_LOOK, 'jpeg')).toEqual({
    kind: 'all-in-focus',
    aperture: 1,
    ev: 0,
    format: 'jpeg',
  });
  const look: Look = { kind: 'refocus', point: { x: 1, y: 0.25 }, opening: -2, ev: -1.3, tone: 'filmic' };
  expect(understood(look, 'png', 320)).toEqual({
    kind: 'refocus',
    tap: { x: 599, y: 100 },
    aperture: 0.5,
    ev: -1.3,
    tone: 'filmic',
    width: 320,
    format: 'png',
  });
  // What holds any brightness takes no display curve; depth neither tone nor exposure.
  expect(understood(look, 'exr')).toMatchObject({ tone: 'linear', ev: -1.3, format: 'exr' });
  expect(understood({ ...look, kind: 'depth' }, 'exr')).toMatchObject({ tone: 'linear', ev: 0 });
  expect(understood({ ...look, kind: 'depth' }, 'png', 600)).toEqual({
    kind: 'depth',
    aperture: 1,
    ev: 0,
    format: 'png',
  });
  // A picture with its lights looks, below white, as the photographs ask for.
  expect(understood(look, 'ultrahdr').tone).toBeUndefined();
  for (const tone of ['local', 'learned', 'filmic', 'srgb'] as const) {
    expect(understood({ ...FIRST_LOOK, tone }, 'jpeg').tone).toBe(tone);
  }
});

test('no slider of the page leaves what the API takes', () => {
  for (let stop = -7; stop <= 3; stop += 0.25) {
    const query = understood({ ...FIRST_LOOK, kind: 'refocus', opening: stop }, 'jpeg');
    expect(query.aperture).toBeCloseTo(2 ** (stop / 2), 3);
  }
  expect(apertureOf(0)).toBe(1);
});

test('no more pixels are asked for than are shown, or than there are', () => {
  expect(pixelsFor(390, 2, 4000)).toBe(960);
  expect(pixelsFor(390, 3, 4000)).toBe(960);
  expect(pixelsFor(900, 1, 4000)).toBe(960);
  expect(pixelsFor(390, 2, 800)).toBeUndefined();
  expect(pixelsFor(0, 1, 800)).toBeUndefined();
});
