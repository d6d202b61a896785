// Builds the device kernels (engine/native/cuda) twice: with nvcc, where there is one, as implicam-cuda.so; and with the
// C++ compiler as implicam-cuda-emulated.so, which runs the same kernels on the processor, for tests.
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Machine code for these compute capabilities: each also runs on later ones of its generation (8.0 on 8.6 and 8.9, 10.0 on
 * 10.3), so this is 7.5 to 12.x. Drivers compile the PTX of one of them for the others, and for what comes after.
 */
const ARCHITECTURES = ['75', '80', '90', '100', '120'];
const PTX = '90';

const EMULATED_FLAGS = [
  '-std=gnu++20',
  '-fPIC',
  '-Wall',
  '-Wextra',
  '-fvisibility=hidden',
  '-O3',
  '-ffp-contract=fast',
  '-fno-math-errno',
  '-DIMPLICAM_EMULATE',
  // Small batches, so that small tests need several.
  '-DIMPLICAM_BATCH_FLOATS=65536',
];

/** The units, by their paths without the ending, and the text of all headers. */
function sourcesIn(folder) {
  const files = readdirSync(folder, { recursive: true }).sort();
  const headers = [
    ...files.map((f) => join(folder, f)),
    ...readdirSync(join(folder, '..', 'shared'))
      .sort()
      .map((f) => join(folder, '..', 'shared', f)),
  ].filter((f) => f.endsWith('.h'));
  return {
    units: files.filter((f) => f.endsWith('.cu')).map((f) => f.slice(0, -3)),
    text: headers.map((f) => readFileSync(f, 'utf8')).join('\0'),
  };
}

/** The name of a unit's object. */
const objectOf = (prefix, unit) => `${prefix}_${unit.replaceAll(/[\\/]/g, '_')}.o`;

function split(text) {
  const own = (line) => /^ptxas info|bytes stack frame|^\s*$/.test(line);
  const lines = text.split('\n');
  const joined = (list) => (list.some((l) => l.trim()) ? `${list.join('\n')}\n` : '');
  return [joined(lines.filter(own)), joined(lines.filter((l) => !own(l)))];
}

/**
 * Compiles the units whose stamp is old, and links; true where anything was built. Where a unit does not compile no library
 * is left: one of older sources must not stand in for it.
 */
async function build({ units, text, folder, out, prefix, target, parallel, compile, link }) {
  const stampOf = (unit) =>
    createHash('sha256')
      .update(text)
      .update(readFileSync(join(folder, `${unit}.cu`)))
      .update(JSON.stringify(compile(unit, unit)))
      .digest('hex');
  const queue = [...units];
  const objects = units.map((u) => join(out, objectOf(prefix, u)));
  let built = 0;
  const worker = async () => {
    for (let unit = queue.shift(); unit; unit = queue.shift()) {
      const object = join(out, objectOf(prefix, unit));
      const stamp = `${object}.sha256`;
      const want = stampOf(unit);
      if (existsSync(object) && existsSync(stamp) && readFileSync(stamp, 'utf8') === want) continue;
      const [command, ...args] = compile(join(folder, `${unit}.cu`), object);
      rmSync(target, { force: true });
      const { stdout, stderr } = await run(command, args, { maxBuffer: 1 << 26 }).catch((error) => {
        queue.length = 0;
        throw error;
      });
      // The compiler's account of each kernel is kept, what else it says is shown.
      const [account, said] = split(`${stdout}${stderr}`);
      if (account) writeFileSync(object.replace(/o$/, 'usage'), account);
      if (said) process.stderr.write(said);
      writeFileSync(stamp, want);
      built++;
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  if (built === 0 && existsSync(target)) return false;
  const [command, ...args] = link(objects);
  await run(command, args);
  return true;
}

/** The emulation: same flags on every machine; `sanitizer` are those of npm run sanitize. */
export async function buildEmulation(compiler, folder, out, sanitizer) {
  const target = join(out, 'implicam-cuda-emulated.so');
  const { units, text } = sourcesIn(folder);
  const built = await build({
    units,
    text,
    folder,
    out,
    prefix: 'emulated',
    target,
    parallel: availableParallelism(),
    compile: (source, object) => [
      compiler,
      ...EMULATED_FLAGS,
      `-I${join(folder, '..')}`,
      ...sanitizer,
      '-x',
      'c++',
      '-c',
      source,
      '-o',
      object,
    ],
    link: (objects) => [
      compiler,
      '-shared',
      ...sanitizer,
      ...(process.platform === 'darwin' ? [] : ['-static-libstdc++', '-static-libgcc', '-ldl']),
      '-o',
      target,
      ...objects,
    ],
  });
  return built;
}

/** `nvcc` of the path, of CUDA_HOME, or where it is usually installed. */
function findNvcc() {
  const homes = [process.env.CUDA_HOME, process.env.CUDA_PATH, '/usr/local/cuda'].filter(Boolean);
  for (const name of ['nvcc', ...homes.map((h) => join(h, 'bin', 'nvcc'))]) {
    try {
      const text = execFileSync(name, ['--version'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      return { name, version: /release ([\d.]+)/.exec(text)?.[1] ?? 'unknown', text };
    } catch {
      // Not there: the next one.
    }
  }
  return undefined;
}

/** The architectures to build: IMPLICAM_CUDA_ARCHS ("80,90"; "none" builds nothing), else all that this nvcc knows. */
function architecturesOf(nvcc) {
  const asked = process.env.IMPLICAM_CUDA_ARCHS;
  if (asked !== undefined && asked !== '') return asked === 'none' ? [] : asked.split(/[\s,]+/);
  const known = execFileSync(nvcc, ['--list-gpu-code'], { encoding: 'utf8' });
  return ARCHITECTURES.filter((a) => new RegExp(`\\bsm_${a}\\b`).test(known));
}

/** The CUDA library. Returns a line that says what was done, or why nothing was. */
export async function buildCuda(compiler, folder, out) {
  const nvcc = findNvcc();
  if (!nvcc) return 'CUDA engine not built: no nvcc found (install the CUDA toolkit, or set CUDA_HOME)';
  const archs = architecturesOf(nvcc.name);
  if (archs.length === 0) return 'CUDA engine not built: IMPLICAM_CUDA_ARCHS asks for none';
  const target = join(out, 'implicam-cuda.so');
  const { units, text } = sourcesIn(folder);
  const codes = archs.map((a) => `arch=compute_${a},code=sm_${a}`);
  const ptx = archs.includes(PTX) ? PTX : archs.at(-1);
  // C++17: half the time goes into the standard library's headers, and those of C++20 are half as long again.
  const flags = [
    '-std=c++17',
    '-O3',
    `-I${join(folder, '..')}`,
    '-ccbin',
    compiler,
    '-Xcompiler',
    '-fPIC,-fvisibility=hidden',
  ];
  // Registers, memory and spills of every kernel: docs/reference/CUDA.md.
  flags.push('--resource-usage', '--threads', '2');
  const gencode = [...codes, `arch=compute_${ptx},code=compute_${ptx}`].flatMap((c) => ['-gencode', c]);
  const names = `${archs.map((a) => `sm_${a}`).join(' ')} + PTX ${ptx}`;
  const start = Date.now();
  const built = await build({
    units,
    text: text + nvcc.text,
    folder,
    out,
    prefix: 'cuda',
    target,
    // Each compiles two architectures at a time.
    parallel: Math.max(1, Math.floor(availableParallelism() / 2)),
    compile: (source, object) => [
      nvcc.name,
      ...flags,
      ...gencode,
      `-DIMPLICAM_ARCHITECTURES="${names}"`,
      '-c',
      source,
      '-o',
      object,
    ],
    link: (objects) => [
      nvcc.name,
      '-shared',
      '-ccbin',
      compiler,
      '-cudart',
      'static',
      '-Xcompiler',
      '-fPIC,-static-libstdc++,-static-libgcc',
      '-ldl',
      '-o',
      target,
      ...objects,
    ],
  });
  const seconds = Math.round((Date.now() - start) / 1000);
  return `CUDA engine ${built ? `built in ${seconds} s` : 'up to date'} (nvcc ${nvcc.version}: ${names})`;
}
