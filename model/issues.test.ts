import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { explainIssues, explainRequirement } from './issues.js';

const schema = z.strictObject({
  width: z.int().min(1).max(16).optional(),
  share: z.number().min(0).max(1).default(1),
  seconds: z.coerce.number().positive().max(1e9).optional(),
  count: z.int().optional(),
  four: z.int().min(4).max(64).multipleOf(4).optional(),
  kind: z.enum(['near', 'far']).optional(),
  name: z.string().min(1).max(10).optional(),
  id: z.uuid().optional(),
  path: z.string().min(1, 'a path has at least one letter').optional(),
  code: z.string().regex(/^\d+$/, 'not a number').optional(),
  region: z.strictObject({ x: z.int().min(0) }).optional(),
  list: z.array(z.int().min(2)).max(3).optional(),
  on: z.boolean().optional(),
  either: z.union([z.string(), z.array(z.string())], 'it is a path or a list of paths').optional(),
});

function told(input: unknown) {
  const { error } = schema.safeParse(input);
  return explainIssues(schema, input, error!.issues);
}

describe('what a schema refuses is told by name, value and range', () => {
  test.each([
    [{ width: 0 }, 'width is 0: it must be a whole number from 1 to 16'],
    [{ width: 17 }, 'width is 17: it must be a whole number from 1 to 16'],
    [{ width: 1.5 }, 'width is 1.5: it must be a whole number from 1 to 16'],
    [{ width: Number.NaN }, 'width is no number: it must be a whole number from 1 to 16'],
    [{ width: '3' }, 'width is "3": it must be a whole number from 1 to 16'],
    [{ width: null }, 'width is null: it must be a whole number from 1 to 16'],
    [{ share: -1 }, 'share is -1: it must be a number from 0 to 1'],
    [{ seconds: 0 }, 'seconds is 0: it must be a number above 0 and at most 1000000000'],
    [{ count: 1e99 }, 'count is 1e+99: it must be a whole number'],
    [{ four: 6 }, 'four is 6: it must be a whole number that is a multiple of 4 from 4 to 64'],
    [{ kind: 'middle' }, 'kind is "middle": it must be one of near, far'],
    [{ name: '' }, 'name is empty: it must be text: from 1 to 10 characters'],
    [{ name: 3 }, 'name is 3: it must be text: from 1 to 10 characters'],
    [{ id: 'x' }, 'id is "x": it must be a UUID'],
    [{ path: '' }, 'path: a path has at least one letter'],
    [{ code: 'x' }, 'code is "x": not a number'],
    [{ region: {} }, 'region.x is missing: it must be a whole number at least 0'],
    [{ region: 3 }, 'region is 3: it must be an object'],
    [{ list: [2, 1] }, 'list.1 is 1: it must be a whole number at least 2'],
    [{ list: [2, 2, 2, 2] }, 'list is a list of 4: it must be a list: at most 3 entries'],
    [{ on: 'yes' }, 'on is "yes": it must be true or false'],
    [{ either: 3 }, 'either: it is a path or a list of paths'],
    ['x', 'the value is "x": it must be an object'],
  ])('%j', (input, sentence) => {
    expect(told(input)).toBe(sentence);
  });

  test('names that are not known come with those that are', () => {
    expect(told({ region: { x: 1, y: 1, z: 2 } })).toBe('region.y, region.z are not known: there are x');
    expect(told({ colour: 1 })).toMatch(/^colour is not known: there are width, share, seconds/);
  });

  test('long values are cut', () => {
    expect(told({ kind: 'x'.repeat(5000) }).length).toBeLessThan(120);
  });

  test('without the schema the end that was overstepped is told', () => {
    const one = (input: unknown) => explainIssues(undefined, input, schema.safeParse(input).error!.issues);
    expect(one({ width: 0 })).toBe('width is 0: it must be at least 1');
    expect(one({ width: 17 })).toBe('width is 17: it must be at most 16');
    expect(one({ width: 1.5 })).toBe('width is 1.5: it must be a whole number');
    expect(one({ seconds: 0 })).toBe('seconds is 0: it must be above 0');
    expect(one({ name: '' })).toBe('name is empty: it must be at least 1 characters');
    expect(one({ colour: 1 })).toBe('colour is not known');
  });

  test('a requirement by itself', () => {
    const { error } = schema.shape.width.safeParse('x');
    expect(explainRequirement(schema.shape.width, error!.issues)).toBe(
      'It must be a whole number from 1 to 16.',
    );
  });
});
