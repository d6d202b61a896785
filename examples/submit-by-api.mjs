// Has a running service develop photographs, by its HTTP API alone, and downloads what came of them.
//
//   IMPLICAM_KEY=… node examples/submit-by-api.mjs http://127.0.0.1:8787 RESULTS PHOTOGRAPH...
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

const [service = 'http://127.0.0.1:8787', results = 'results', ...photographs] = process.argv.slice(2);

/** A request; a refusal is thrown with what the service says about it. */
async function call(/** @type {string} */ path, /** @type {RequestInit} */ init = {}) {
  const headers = { authorization: `Bearer ${process.env.IMPLICAM_KEY}`, ...init.headers };
  const answer = await fetch(`${service}/v1${path}`, { ...init, headers });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}
const json = { 'content-type': 'application/json' };

const session = await call('/sessions', { method: 'POST', headers: json, body: '{"quality":"draft"}' });
const at = `/sessions/${/** @type {{ id: string }} */ (await session.json()).id}`;
for (const [number, path] of photographs.entries()) {
  const to = `${at}/frames/${number}?name=${encodeURIComponent(basename(path))}`;
  await call(to, { method: 'PUT', body: await readFile(path) });
}
await call(`${at}/training`, { method: 'POST', headers: json, body: '{}' });

// Server-sent events, one line of data each. After one of these three there are no more.
const events = await call(`${at}/events`, { headers: { accept: 'text/event-stream' } });
let text = '';
for await (const piece of events.body?.pipeThrough(new TextDecoderStream()) ?? []) {
  text += piece;
  process.stdout.write(piece);
  if (/^event: (trained|failed|cancelled)$/m.test(text)) break;
}

await mkdir(results, { recursive: true });
const model = /** @type {{ outputs: { name: string }[] }} */ (
  await (await call(`${at}/models/latest`)).json()
);
for (const { name } of model.outputs) {
  const file = await call(`${at}/models/latest/outputs/${name}`);
  await writeFile(join(results, name), Buffer.from(await file.arrayBuffer()));
}
