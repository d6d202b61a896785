import type { z } from 'zod';

/**
 * What a schema refuses, as sentences: which field, what it is, what it must be. Command line, library and API all tell it
 * with these, so that nobody reads the words of a validation library.
 */

type Schema = z.core.$ZodType;
type Issue = z.core.$ZodIssue;

/**
 * The first thing that was wrong: `region.width is 0: it must be a whole number from 1 to 16384`.
 *
 * @param schema what the input was held against; without it a range is told by the end that was overstepped
 * @param input what was given
 */
export function explainIssues(schema: Schema | undefined, input: unknown, issues: readonly Issue[]): string {
  const [issue] = issues;
  const name = issue.path.map(String).join('.');
  const at = schema && schemaAt(schema, issue.path);
  if (issue.code === 'unrecognized_keys') return explainUnknown(name, issue.keys, at);
  const value = valueAt(input, issue.path);
  const must = mustBe(at, issue);
  if (must === undefined) {
    const given = issue.code === 'invalid_format' ? ` is ${inWords(value)}` : '';
    return name === '' ? issue.message : `${name}${given}: ${issue.message}`;
  }
  if (value === undefined) return `${name === '' ? 'the value' : name} is missing: it ${must}`;
  return `${name === '' ? 'the value' : name} is ${inWords(value)}: it ${must}`;
}

/** What a single value must be, without its name: `It must be a whole number from 1 to 16384.` */
export function explainRequirement(schema: Schema, issues: readonly Issue[]): string {
  const must = mustBe(unwrapped(schema), issues[0]);
  const sentence = must === undefined ? issues[0].message : `It ${must}`;
  return `${sentence}.`;
}

function explainUnknown(name: string, keys: readonly string[], schema: Schema | undefined): string {
  const known = schema && defOf(schema).shape ? Object.keys(defOf(schema).shape!).join(', ') : undefined;
  const unknown = keys.map((key) => (name === '' ? key : `${name}.${key}`)).join(', ');
  return `${unknown} ${keys.length > 1 ? 'are' : 'is'} not known${known ? `: there are ${known}` : ''}`;
}

/** "must be …", or undefined where the issue's own message says it: checks that are written in words. */
function mustBe(schema: Schema | undefined, issue: Issue): string | undefined {
  // Messages of the schemas begin in lower case, those of the library do not.
  if (/^[a-z]/.test(issue.message)) return undefined;
  switch (issue.code) {
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
    case 'too_small':
    case 'too_big':
    case 'invalid_type':
    case 'not_multiple_of':
      return (schema && requirementOf(schema)) ?? requirementOfIssue(issue);
    case 'invalid_format':
      return `must be ${FORMATS[issue.format] ?? 'of another form'}`;
    default:
      return undefined;
  }
}

const FORMATS: Readonly<Record<string, string>> = {
  uuid: 'a UUID',
  url: 'a URL',
  datetime: 'a time as in 2026-01-31T12:00:00Z',
};

const NOUNS: Readonly<Record<string, string>> = {
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

/** What a schema says of its values, both ends of their range. */
function requirementOf(schema: Schema): string | undefined {
  const { type } = defOf(schema);
  const bounds = boundsOf(schema);
  if (type === 'number') {
    const multiple = bounds.multipleOf === undefined ? '' : ` that is a multiple of ${bounds.multipleOf}`;
    return `must be a ${bounds.whole ? 'whole ' : ''}number${multiple}${rangeOf(bounds)}`;
  }
  if (type === 'string' || type === 'array') {
    const unit = type === 'string' ? 'characters' : 'entries';
    const range = rangeOf(bounds);
    return range === '' ? `must be ${NOUNS[type]}` : `must be ${NOUNS[type]}:${range} ${unit}`;
  }
  return NOUNS[type] && `must be ${NOUNS[type]}`;
}

/** What the checks of a schema ask for. */
interface Bounds {
  whole: boolean;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
}

function boundsOf(schema: Schema): Bounds {
  const { format, checks = [] } = defOf(schema);
  const bounds: Bounds = { whole: format === 'safeint' };
  for (const { _zod } of checks) {
    const { check, value, inclusive, minimum, maximum, format } = _zod.def;
    if (check === 'greater_than') bounds[inclusive ? 'minimum' : 'exclusiveMinimum'] = value;
    if (check === 'less_than') bounds[inclusive ? 'maximum' : 'exclusiveMaximum'] = value;
    if (check === 'multiple_of') bounds.multipleOf = value;
    if (check === 'min_length') bounds.minimum = minimum;
    if (check === 'max_length') bounds.maximum = maximum;
    if (check === 'number_format' && format === 'safeint') bounds.whole = true;
  }
  return bounds;
}

/** ` from 1 to 9`, ` above 0 and at most 9`, …; nothing where any will do. */
function rangeOf(bounds: Bounds): string {
  const { minimum: least, maximum: most, exclusiveMinimum: above, exclusiveMaximum: below } = bounds;
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}`;
  const low = above !== undefined ? ` above ${above}` : least !== undefined ? ` at least ${least}` : '';
  const high = below !== undefined ? ` below ${below}` : most !== undefined ? ` at most ${most}` : '';
  return low && high ? `${low} and${high}` : low || high;
}

/** What an issue says by itself: of a range the end that was overstepped. */
function requirementOfIssue(issue: Issue): string {
  if (issue.code === 'too_small' || issue.code === 'too_big') {
    const bound = issue.code === 'too_small' ? issue.minimum : issue.maximum;
    const words = issue.code === 'too_small' ? ['at least', 'above'] : ['at most', 'below'];
    const unit = { string: ' characters', array: ' entries' }[issue.origin as string] ?? '';
    return `must be ${words[issue.inclusive ? 0 : 1]} ${bound}${unit}`;
  }
  if (issue.code === 'not_multiple_of') return `must be a multiple of ${issue.divisor}`;
  const expected = issue.code === 'invalid_type' ? issue.expected : '';
  if (expected === 'int') return 'must be a whole number';
  return `must be ${NOUNS[expected] ?? (expected === 'number' ? 'a number' : `of type ${expected}`)}`;
}

interface Def {
  readonly type: string;
  readonly innerType?: Schema;
  readonly in?: Schema;
  readonly element?: Schema;
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly format?: string;
  readonly checks?: readonly { readonly _zod: { readonly def: CheckDef } }[];
}

interface CheckDef {
  readonly check: string;
  readonly value?: number;
  readonly inclusive?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly format?: string;
}

const defOf = (schema: Schema) => schema._zod.def as unknown as Def;

/** The schema behind optional, default and the like. */
function unwrapped(schema: Schema): Schema {
  const { innerType, in: before } = defOf(schema);
  const inner = innerType ?? before;
  return inner ? unwrapped(inner) : schema;
}

/** The schema of what stands at a path; undefined where the way forks. */
function schemaAt(schema: Schema, path: readonly PropertyKey[]): Schema | undefined {
  let at: Schema | undefined = unwrapped(schema);
  for (const key of path) {
    const { shape, element }: Def = defOf(at);
    const next: Schema | undefined = shape?.[String(key)] ?? element;
    if (!next) return undefined;
    at = unwrapped(next);
  }
  return at;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let at = input;
  for (const key of path) at = (at as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return at;
}

/** As many letters of a text as a message can bear. */
const LONGEST = 60;

function inWords(value: unknown): string {
  if (typeof value === 'string') {
    if (value === '') return 'empty';
    return JSON.stringify(value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value);
  }
  if (typeof value === 'number') return Number.isNaN(value) ? 'no number' : String(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}
