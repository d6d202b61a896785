import { z } from 'zod';
import { ImplicamError } from '../../model/errors.js';
import { explainIssues } from '../../model/issues.js';
import type { ObjectStore } from '../objects.js';
import { SCENE_FORMAT, sceneKeys, sha256Schema } from './keys.js';
import { sha256Of } from './verified.js';

/** How a prepared scene's head lies in the store: what it says, and the checksum of that as JSON. */
const envelopeSchema = z.object({
  format: z.literal(SCENE_FORMAT),
  sha256: sha256Schema,
  content: z.unknown(),
});

/** Writes a scene's head: a scene that has one is whole. */
export async function putHead(store: ObjectStore, session: string, content: object): Promise<void> {
  const head = { format: SCENE_FORMAT, sha256: checksumOf(content), content };
  await store.put(sceneKeys.head(session), Buffer.from(JSON.stringify(head)));
}

/**
 * Reads what a scene's head says, or as much of it as the schema asks for. One that is not what was written is read once more.
 *
 * @throws ImplicamError `object-missing`, `session-unusable` for what is damaged or of another version
 */
export async function readHead<S extends z.ZodType>(
  store: ObjectStore,
  session: string,
  schema: S,
): Promise<z.output<S>> {
  const key = sceneKeys.head(session);
  try {
    return readContent(await store.read(key), session, schema);
  } catch (error) {
    if ((error as ImplicamError).code !== 'session-unusable') throw error;
  }
  return readContent(await store.read(key), session, schema);
}

function readContent<S extends z.ZodType>(bytes: Buffer, session: string, schema: S): z.output<S> {
  const parse = <T extends z.ZodType>(by: T, value: unknown): z.output<T> => {
    const parsed = by.safeParse(value);
    if (parsed.success) return parsed.data;
    throw unusable(session, `its head: ${explainIssues(by, value, parsed.error.issues)}`, parsed.error);
  };
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch (cause) {
    throw unusable(session, 'its head is no JSON', cause);
  }
  const { sha256, content } = parse(envelopeSchema, value);
  if (checksumOf(content) !== sha256) throw unusable(session, "its head's checksum is another");
  return parse(schema, content);
}

/** Of the text: what was made of a value by JSON is the same text again when it was read and written. */
function checksumOf(content: unknown): string {
  return sha256Of(Buffer.from(JSON.stringify(content) ?? ''));
}

function unusable(session: string, what: string, cause?: unknown): ImplicamError {
  return new ImplicamError(
    'session-unusable',
    `the scene of session ${session} is damaged or of another version (${what}): prepare it again`,
    { cause },
  );
}
