// Runs tests of the compiled core as build.mjs --sanitize builds it: an access out of bounds, a use after free or
// anything undefined ends the process, and the test with it. More files, or -t, may be given.
import { execFileSync, spawnSync } from 'node:child_process';

const FILES = [
  'engine/conformance/parity.test.ts',
  'engine/conformance/gradient.test.ts',
  'engine/conformance/sharded.test.ts',
  'engine/native/reduction/gradient-bytes.test.ts',
  'develop/start/compiled.test.ts',
  'develop/render/native-renderer.test.ts',
];

// Node is built without the sanitizer, which has to come first of all libraries, and then the C++ library it watches.
const compiler = process.env.CXX || 'g++';
const libraries = ['libasan.so', 'libstdc++.so'].map((name) =>
  execFileSync(compiler, [`-print-file-name=${name}`], { encoding: 'utf8' }).trim(),
);

const { status } = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', ...FILES, ...process.argv.slice(2)],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      IMPLICAM_NATIVE: 'build/sanitized',
      IMPLICAM_REQUIRE_ENGINES: 'native,emulated',
      LD_PRELOAD: libraries.join(' '),
      // Node frees little at its end: leaks cannot be told from it.
      ASAN_OPTIONS: 'detect_leaks=0:strict_string_checks=1',
      UBSAN_OPTIONS: 'print_stacktrace=1',
    },
  },
);
process.exitCode = status ?? 1;
