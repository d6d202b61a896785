/**
 * The house has one direction: model ← {imaging, store, proto, migrations ← database} ← {runner, coordinator, edge-api} ← bench ← cli, and
 * the three processes know each other by the wire alone.
 */
const rooms = [
  'model',
  'imaging',
  'store',
  'proto',
  'migrations',
  'database',
  'runner',
  'coordinator',
  'edge-api',
  'bench',
  'cli',
  'test',
];

const below = (room) => rooms.slice(0, rooms.indexOf(room));

/** What each room may import of ours, beside itself. */
const reads = {
  model: [],
  imaging: ['model'],
  store: ['model'],
  proto: ['model'],
  migrations: ['model'],
  database: ['model', 'migrations'],
  runner: ['model', 'imaging', 'store', 'proto'],
  coordinator: ['model', 'imaging', 'store', 'proto', 'migrations', 'database'],
  'edge-api': ['model', 'imaging', 'store', 'migrations', 'database'],
  bench: below('bench'),
  cli: below('cli'),
};

module.exports = {
  forbidden: [
    ...Object.entries(reads).map(([room, allowed]) => ({
      name: `${room}-reads-${allowed.join('-and-') || 'nothing'}`,
      severity: 'error',
      from: { path: `^${room}/` },
      to: { path: `^(${rooms.filter((r) => r !== room && !allowed.includes(r)).join('|')})/` },
    })),
    {
      name: 'one-bridge-to-native-code',
      comment: 'Only the native engine knows the addon.',
      severity: 'error',
      from: { pathNot: '^runner/engines/native' },
      to: { path: 'build/.*\\.node$' },
    },
    { name: 'no-circles', severity: 'error', from: { pathNot: '^proto/types' }, to: { circular: true } },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|build)' },
  },
};
