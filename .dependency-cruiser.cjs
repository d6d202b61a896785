/** The house has one direction: model ← imaging ← runner ← bench ← cli. */
module.exports = {
  forbidden: [
    {
      name: 'model-stands-alone',
      severity: 'error',
      from: { path: '^model' },
      to: { path: '^(imaging|runner|cli|bench|test)' },
    },
    {
      name: 'imaging-reads-model',
      severity: 'error',
      from: { path: '^imaging' },
      to: { path: '^(runner|cli|bench|test)' },
    },
    {
      name: 'runner-reads-model-and-imaging',
      severity: 'error',
      from: { path: '^runner' },
      to: { path: '^(cli|bench|test)' },
    },
    { name: 'bench-below-cli', severity: 'error', from: { path: '^bench' }, to: { path: '^(cli|test)' } },
    { name: 'cli-on-top', severity: 'error', from: { path: '^cli' }, to: { path: '^test' } },
    {
      name: 'one-bridge-to-native-code',
      comment: 'Only the native engine knows the addon.',
      severity: 'error',
      from: { pathNot: '^runner/engines/native' },
      to: { path: 'build/.*\\.node$' },
    },
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|build)' },
  },
};
