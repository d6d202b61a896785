// Writes what the CUDA compiler says of every kernel (registers, shared memory, spills) into docs/reference/CUDA.md, from the
// accounts that the build leaves in build/native: npm run docs:cuda.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const folder = process.argv[2] ?? join(root, 'build', 'native');
const page = join(root, 'docs', 'reference', 'CUDA.md');
const [BEGIN, END] = ['<!-- resources -->', '<!-- /resources -->'];

/** "Product<8, 4>" from the mangled name of the entry that runs it. */
function kernelName(mangled) {
  let rest = /enter(?:Items|Blocks)I(?:N?S0_)?(.*)$/.exec(mangled)?.[1] ?? mangled;
  let name = rest;
  for (let m = /^(\d+)/.exec(rest); m; m = /^(\d+)/.exec(rest)) {
    name = rest.slice(m[0].length, m[0].length + Number(m[0]));
    rest = rest.slice(m[0].length + Number(m[0]));
  }
  const letters = { f: 'float', d: 'double' };
  const values = /^I((?:Li\d+E|[fd])+)E/.exec(rest)?.[1];
  const list = values?.match(/Li\d+E|[fd]/g)?.map((v) => letters[v] ?? v.slice(2, -1));
  return list ? `${name}<${list.join(', ')}>` : name;
}

function readUsage() {
  const kernels = new Map();
  for (const file of readdirSync(folder).filter((f) => /^cuda_.*\.usage$/.test(f))) {
    const unit = file.slice(5, -6);
    let now;
    for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
      const entry = /Compiling entry function '(\w+)' for '(sm_\d+)'/.exec(line);
      if (entry) {
        const key = `${unit} ${kernelName(entry[1])}`;
        now = kernels.get(key) ?? { unit, name: kernelName(entry[1]), by: {} };
        kernels.set(key, now);
        now.arch = entry[2];
        now.by[entry[2]] = { stack: 0, spills: 0, registers: 0, shared: 0 };
        continue;
      }
      const here = now?.by[now.arch];
      const frame = /(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads/.exec(line);
      if (frame && here) Object.assign(here, { stack: +frame[1], spills: +frame[2] + +frame[3] });
      const used = /Used (\d+) registers/.exec(line);
      if (used && here) {
        here.registers = +used[1];
        here.shared = +(/(\d+) bytes smem/.exec(line)?.[1] ?? 0);
      }
    }
  }
  return [...kernels.values()];
}

function table(kernels) {
  const archs = [...new Set(kernels.flatMap((k) => Object.keys(k.by)))].sort(
    (a, b) => Number(a.slice(3)) - Number(b.slice(3)),
  );
  const rows = kernels
    .sort((a, b) => a.unit.localeCompare(b.unit) || a.name.localeCompare(b.name))
    .map((k) => {
      const of = archs.map((a) => k.by[a]);
      const most = (key) => Math.max(...of.map((u) => u?.[key] ?? 0));
      const cells = [k.unit, k.name, ...of.map((u) => u?.registers ?? '–')];
      return [...cells, most('shared'), most('stack'), most('spills')];
    });
  const head = ['file', 'kernel', ...archs, 'shared', 'stack', 'spills'];
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const kernels = readUsage();
if (kernels.length === 0)
  throw new Error(`${folder} has no accounts of kernels: build the CUDA library first`);
const text = readFileSync(page, 'utf8');
const [before, rest] = text.split(BEGIN);
writeFileSync(page, `${before}${BEGIN}\n\n${table(kernels)}\n\n${END}${rest.split(END)[1]}`);
