import { InvalidArgumentError, Option } from 'commander';
import type { z } from 'zod';
import { QUALITIES } from '../../develop/options.js';
import { ENGINES } from '../../engine/engine.js';
import { ImplicamError } from '../../model/errors.js';
import { explainIssues, explainRequirement } from '../../model/issues.js';
import type { ChannelSecurity } from '../../proto/channel.js';

/**
 * Options that several commands share, and options made from the schemas of `model/`: each is declared once, its help
 * and its range come from where its meaning is.
 */

export const jsonOption = () =>
  new Option('--json', 'print one line of JSON on standard output, nothing else');

export const engineOption = () =>
  new Option(
    '--engine <name>',
    'what computes (default: cuda where there is a device, else native where it is built, else tfjs)',
  ).choices(ENGINES);

export const deviceOption = () =>
  new Option(
    '--device <device>',
    'device of the cuda engine: its number or UUID (default: IMPLICAM_DEVICE, else the first)',
  );

export const threadsOption = () =>
  new Option('--threads <n>', 'threads of the native engine (default: all processors)').argParser(
    wholeNumber(1, 1024),
  );

export const qualityOption = () =>
  new Option(
    '--quality <name>',
    'how long to train: instant, not at all, for the classical picture at once; draft for a quick look; standard for most ' +
      'pictures; best, three times as long, for those to keep',
  )
    .choices(QUALITIES)
    .default('standard');

export const seedOption = () =>
  new Option('--seed <n>', 'seed of everything that is drawn at random')
    .argParser(wholeNumber(0, 2 ** 31 - 1))
    .default(1);

/** A parser of whole numbers of a range; others are wrong usage. */
export function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isInteger(value) || value < low || value > high) {
      throw new InvalidArgumentError(`It must be a whole number from ${low} to ${high}.`);
    }
    return value;
  };
}

/** A parser of the parts of a value: "3,4" or "640x480" as numbers. */
export function numbersBetween(separator: string, names: readonly string[]): (text: string) => number[] {
  return (text) => {
    const values = text.split(separator).map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
    if (values.length !== names.length || !values.every(Number.isFinite)) {
      throw new InvalidArgumentError(`It must be ${names.join(separator)}, as numbers.`);
    }
    return values;
  };
}

/**
 * An option whose help, choices, default and range are those of a schema.
 *
 * @param flags as commander takes them, `--width <pixels>`; a number where the schema takes one.
 * @param otherwise what happens without the option, in words, where that is not the schema's default.
 */
export function schemaOption(flags: string, schema: z.ZodType, otherwise?: string): Option {
  const inner = unwrap(schema);
  const option = new Option(
    flags,
    (schema.description ?? '') + (otherwise ? ` (default: ${otherwise})` : ''),
  );
  if (inner.fallback !== undefined && !otherwise) option.default(inner.fallback);
  if (inner.choices) return option.choices(inner.choices);
  return option.argParser((text: string) => {
    const parsed = schema.safeParse(inner.numeric && text.trim() !== '' ? Number(text) : text);
    if (parsed.success) return parsed.data;
    throw new InvalidArgumentError(explainRequirement(schema, parsed.error.issues));
  });
}

/**
 * An option of several numbers, `--tap X,Y`, for a schema that is an object of as many: its help and ranges are the
 * schema's.
 *
 * @param parts fields of the schema, in the order in which they are written
 */
export function partsOption(flags: string, schema: z.ZodType, parts: readonly string[]): Option {
  const read = numbersBetween(',', flags.match(/<(.*)>/)![1].split(','));
  return new Option(flags, schema.description).argParser((text: string) => {
    const values = read(text);
    const given = Object.fromEntries(parts.map((part, i) => [part, values[i]]));
    const parsed = schema.safeParse(given);
    if (parsed.success) return parsed.data;
    throw new InvalidArgumentError(`${explainIssues(schema, given, parsed.error.issues)}.`);
  });
}

/** Looks behind `.optional()` and `.default(…)`. */
function unwrap(schema: z.ZodType) {
  let fallback: unknown;
  let at = schema as z.core.$ZodType;
  for (;;) {
    const { def } = at._zod as unknown as {
      def: { type: string; innerType: z.core.$ZodType; defaultValue: unknown };
    };
    if (def.type === 'default') fallback = def.defaultValue;
    else if (def.type !== 'optional') {
      const { entries } = def as { entries?: Record<string, string> };
      return { fallback, choices: entries && Object.values(entries), numeric: def.type === 'number' };
    }
    at = def.innerType;
  }
}

export const memoryOption = () =>
  new Option('--memory <GB>', 'memory that sessions may take (default: two thirds of the machine)').argParser(
    (text) => {
      const value = Number(text);
      if (!(value > 0 && value <= 65_536))
        throw new InvalidArgumentError('It must be a number of gigabytes.');
      return value;
    },
  );

export const storeOption = () =>
  new Option(
    '--store <location>',
    'where pictures, snapshots and models are: a folder, or s3://BUCKET/PREFIX?endpoint=URL&region=REGION ' +
      '(default: IMPLICAM_STORE, else a folder of the data folder)',
  );

export interface TlsFlags {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
  readonly insecure?: boolean;
}

/** Mutual TLS between coordinators and runners. */
export const tlsOptions = () => [
  new Option('--tls-cert <file>', "this process' certificate, PEM"),
  new Option('--tls-key <file>', 'its key, PEM'),
  new Option('--tls-ca <file>', 'authority that the other side must be signed by, PEM'),
  new Option('--insecure', 'plaintext beyond this machine, on a network that you trust'),
];

/** What the flags ask for; all three files or none. */
export function securityOf({ tlsCert: cert, tlsKey: key, tlsCa: ca, insecure }: TlsFlags): ChannelSecurity {
  if (cert && key && ca) return { tls: { cert, key, ca } };
  if (cert || key || ca) {
    throw new ImplicamError('option-invalid', 'give --tls-cert, --tls-key and --tls-ca together', {
      exitCode: 2,
    });
  }
  return insecure ? { insecure } : {};
}
