import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * Makes the files of the web page: one script, one style sheet, an icon, each named by its content so that browsers may
 * keep it for ever, and index.html that names them.
 *
 * @param {string} folder where they go; what is there is replaced
 */
export async function bundleViewer(folder) {
  const source = (name) => fileURLToPath(new URL(`browser/${name}`, import.meta.url));
  const { outputFiles } = await build({
    entryPoints: { main: source('main.ts'), style: source('style.css') },
    bundle: true,
    minify: true,
    write: false,
    outdir: 'out',
    format: 'esm',
    target: ['es2022', 'chrome116', 'firefox124', 'safari17.4'],
    tsconfigRaw: {},
    logLevel: 'warning',
  });
  const files = new Map([['favicon.svg', await readFile(source('favicon.svg'))]]);
  for (const { path, contents } of outputFiles) files.set(path.split(/[\\/]/).at(-1), contents);
  let page = await readFile(source('index.html'), 'utf8');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [name, content] of files) {
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
    const hashed = name.replace('.', `-${hash}.`);
    if (!page.includes(`"${name}"`)) throw new Error(`index.html does not name ${name}`);
    page = page.replaceAll(`"${name}"`, `"/assets/${hashed}"`);
    await writeFile(join(folder, hashed), content);
  }
  await writeFile(join(folder, 'index.html'), page);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await bundleViewer(fileURLToPath(new URL('../../dist/edge-api/page/assets/', import.meta.url)));
}
