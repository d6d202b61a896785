// Writes the TypeScript types of the wire to proto/types; with --check says whether those there are current.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const TYPES = 'proto/types';
const FILES = readdirSync('proto/implicam/v1').map((name) => `implicam/v1/${name}`);

function generate(folder) {
  // How values look is fixed here and in proto/load.ts together.
  const options = ['--longs=Number', '--enums=String', '--defaults', '--oneofs', '--includeComments'];
  const output = ['--grpcLib=@grpc/grpc-js', '--targetFileExtension=.ts', '--importFileExtension=.js'];
  const program = 'node_modules/@grpc/proto-loader/build/bin/proto-loader-gen-types.js';
  const run = [program, ...FILES, '--includeDirs=proto', ...options, ...output, `--outDir=${folder}`];
  execFileSync(process.execPath, run, { stdio: ['ignore', 'ignore', 'inherit'] });
}

function contents(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((e) => e.isFile());
  const paths = files.map((e) => join(e.parentPath, e.name)).sort();
  return JSON.stringify(paths.map((path) => [path.slice(folder.length), readFileSync(path, 'utf8')]));
}

if (process.argv.includes('--check')) {
  const folder = mkdtempSync(join(tmpdir(), 'implicam-proto-'));
  try {
    generate(folder);
    if (contents(folder) !== contents(TYPES)) {
      console.error(`${TYPES} is not what the .proto files say: run npm run proto`);
      process.exitCode = 1;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
} else {
  rmSync(TYPES, { recursive: true, force: true });
  generate(TYPES);
}
