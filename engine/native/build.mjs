// Builds the native core with the C++ compiler that is there, nothing else: Node's headers come from npm. One object
// for each instruction set, chosen at run time. Without a compiler it says what to install and ends with 0, since npm ci
// must work there; a compiler that refuses the sources ends it with 1. Objects whose sources did not change are kept.
// With --sanitize it builds the core and the emulated device into build/sanitized, for npm run sanitize.
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildCuda, buildEmulation } from './build-device.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const sanitized = process.argv.includes('--sanitize');
const out = join(here, '..', '..', 'build', sanitized ? 'sanitized' : 'native');
const device = join(here, 'cuda');
const require = createRequire(import.meta.url);

const KERNEL_FLAGS = [
  '-O3',
  // Reassociation and reciprocals are wanted, infinities stay meaningful.
  '-ffast-math',
  '-fno-finite-math-only',
  '-Wno-psabi',
  // Vectors are filled lane by lane, which the compiler takes for reading what was never written.
  '-Wno-maybe-uninitialized',
  '-Wno-uninitialized',
];

/** After the others, so that their -O3 gives way: what is looked for does not need it, and compiles in half the time. */
const SANITIZER_FLAGS = sanitized
  ? [
      '-fsanitize=address,undefined',
      '-fno-sanitize-recover=undefined',
      '-fno-omit-frame-pointer',
      '-O1',
      '-g1',
    ]
  : [];

const VARIANTS = {
  x64: {
    avx512: [
      '64',
      '-mavx512f',
      '-mavx512dq',
      '-mavx512vl',
      '-mavx512bw',
      '-mfma',
      '-mprefer-vector-width=512',
    ],
    avx2: ['32', '-mavx2', '-mfma'],
    sse2: ['16'],
    f64: ['32', '-DIMPLICAM_F64'],
  },
  arm64: { neon: ['16'], f64: ['32', '-DIMPLICAM_F64'] },
};

function findCompiler() {
  for (const name of [process.env.CXX, 'g++', 'clang++', 'c++']) {
    if (!name) continue;
    try {
      execFileSync(name, ['-std=gnu++20', '-fsyntax-only', '-x', 'c++', '-'], {
        input: '#include <barrier>\n',
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      return name;
    } catch {
      // Not there, or too old: the next one.
    }
  }
  return undefined;
}

function jobs(variants) {
  const common = [
    '-std=gnu++20',
    '-fPIC',
    '-Wall',
    '-Wextra',
    '-fvisibility=hidden',
    '-pthread',
    `-I${here}`,
  ];
  const node = [
    `-I${require('node-api-headers').include_dir}`,
    `-I${dirname(require.resolve('node-addon-api/package.json'))}`,
  ];
  const list = Object.entries(variants).map(([isa, [bytes, ...flags]]) => ({
    name: `kernels_${isa}`,
    source: 'kernels/kernels.cpp',
    flags: [...common, ...KERNEL_FLAGS, `-DIMPLICAM_ISA=${isa}`, `-DIMPLICAM_VBYTES=${bytes}`, ...flags],
  }));
  list.push({ name: 'trainer', source: 'trainer/trainer.cpp', flags: [...common, '-O3'] });
  list.push({ name: 'reduction', source: 'reduction/reduction.cpp', flags: [...common, '-O3'] });
  list.push({ name: 'renderer', source: 'render/renderer.cpp', flags: [...common, '-O3'] });
  const addon = [...common, '-O2', '-DNAPI_VERSION=8', '-DNAPI_CPP_EXCEPTIONS', ...node];
  list.push({ name: 'addon', source: 'addon/addon.cpp', flags: addon });
  list.push({ name: 'addon_renderer', source: 'addon/renderer.cpp', flags: addon });
  list.push({ name: 'addon_start', source: 'addon/start.cpp', flags: addon });
  // The start is defined in TypeScript and its bits are kept: no fused multiply-adds, nothing reassociated.
  const exact = [...common, '-O3', '-ffp-contract=off', '-fno-trapping-math', '-fno-math-errno'];
  for (const part of [
    'filters',
    'light',
    'merge',
    'compare',
    'sweep',
    'spread',
    'shrink',
    'float_planes',
    'fusion',
  ]) {
    list.push({ name: `start_${part}`, source: `start/${part}.cpp`, flags: exact });
  }
  list.push({ name: 'addon_device', source: 'addon/device.cpp', flags: addon });
  list.push({ name: 'device_library', source: 'device/library.cpp', flags: [...common, '-O2'] });
  list.push({ name: 'device_trainer', source: 'device/trainer.cpp', flags: [...common, '-O3'] });
  list.push({ name: 'read_problem', source: 'addon/read_problem.cpp', flags: addon });
  return list;
}

async function main() {
  const variants = VARIANTS[process.arch];
  const compiler = variants && findCompiler();
  if (!compiler) {
    const why = variants
      ? 'no C++20 compiler found; install g++ 11 or newer (apt-get install g++) and run npm run build:native'
      : `there are no kernels for ${process.arch}`;
    console.log(`implicam: native engine not built: ${why}`);
    return;
  }
  mkdirSync(out, { recursive: true });
  const sources = readdirSync(here, { recursive: true })
    .filter((f) => /\.(h|cpp)$/.test(f) && !f.startsWith('cuda'))
    .sort()
    .map((f) => join(here, f));
  const version = execFileSync(compiler, ['--version'], { encoding: 'utf8' });
  const api = readFileSync(join(device, 'api.h'), 'utf8');
  const text = [...sources.map((f) => readFileSync(f, 'utf8')), api].join('\0') + version;
  const queue = jobs(variants);
  const objects = queue.map((job) => join(out, `${job.name}.o`));
  const stampOf = (flags) => createHash('sha256').update(text).update(flags.join(' ')).digest('hex');
  const target = join(out, 'implicam.node');
  const run = promisify(execFile);
  let built = 0;
  const worker = async () => {
    for (let job = queue.shift(); job; job = queue.shift()) {
      const object = join(out, `${job.name}.o`);
      const stamp = `${object}.sha256`;
      const flags = [...job.flags, ...SANITIZER_FLAGS];
      const want = stampOf(flags);
      if (existsSync(object) && existsSync(stamp) && readFileSync(stamp, 'utf8') === want) continue;
      // A core of older sources must not stand in for one that cannot be built.
      rmSync(target, { force: true });
      try {
        const args = [...flags, '-c', join(here, job.source), '-o', object];
        const { stderr } = await run(compiler, args, { maxBuffer: 1 << 26 });
        if (stderr) process.stderr.write(stderr);
      } catch (error) {
        queue.length = 0;
        throw error;
      }
      writeFileSync(stamp, want);
      built++;
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  if (built > 0 || !existsSync(target)) {
    const link =
      process.platform === 'darwin'
        ? ['-undefined', 'dynamic_lookup']
        : ['-static-libstdc++', '-static-libgcc', '-ldl'];
    execFileSync(compiler, ['-shared', '-pthread', ...SANITIZER_FLAGS, ...link, '-o', target, ...objects], {
      stdio: 'inherit',
    });
    // A symbol that nobody defines is missed only when the addon is loaded. The sanitized one wants its library first.
    if (SANITIZER_FLAGS.length === 0) {
      const load = `require(${JSON.stringify(target)})`;
      try {
        execFileSync(process.execPath, ['-e', load], { stdio: ['ignore', 'inherit', 'inherit'] });
      } catch (error) {
        // Or the next build would find it up to date.
        rmSync(target, { force: true });
        throw error;
      }
    }
  }
  console.log(
    `implicam: native engine ${built > 0 ? 'built' : 'up to date'} (${Object.keys(variants).join(', ')})`,
  );
  await buildEmulation(compiler, device, out, SANITIZER_FLAGS);
  if (sanitized) return;
  console.log(`implicam: ${await buildCuda(compiler, device, out)}`);
}

main().catch((error) => {
  console.error(error.stderr || error.message);
  console.error(
    'implicam: the build of the native core failed: the compiler was found, and refused the sources',
  );
  // Compilers that are still at work end by themselves.
  process.exitCode = 1;
});
