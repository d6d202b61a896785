import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * Makes the one file of the API that a Workers runtime takes (with its flag nodejs_compat).
 *
 * @param {string} [file] where it goes; left out, it is only given back
 * @returns {Promise<{ code: string, inputs: string[] }>} the file, and the sources that are in it
 */
export async function bundleWorker(file) {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  const { outputFiles, metafile } = await build({
    entryPoints: [fileURLToPath(new URL('worker.ts', import.meta.url))],
    absWorkingDir: fileURLToPath(new URL('../..', import.meta.url)),
    outfile: file ?? 'worker.mjs',
    bundle: true,
    write: file !== undefined,
    metafile: true,
    format: 'esm',
    platform: 'node',
    target: 'es2023',
    // pg reaches Postgres through the sockets of such runtimes under this condition.
    conditions: ['workerd'],
    mainFields: ['module', 'main'],
    external: ['cloudflare:*', 'pg-native'],
    define: { IMPLICAM_VERSION: JSON.stringify(version) },
    // What packages of the older kind require of Node.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire('/');",
    },
    logLevel: 'warning',
  });
  return { code: outputFiles?.[0].text ?? '', inputs: Object.keys(metafile.inputs) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await bundleWorker(fileURLToPath(new URL('../../dist/worker.mjs', import.meta.url)));
}
