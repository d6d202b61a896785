/**
 * The house has one direction: what a scene and a camera are (model) at the ground, then the numerics of a step (engine),
 * photographs to pictures (develop), the three processes, which know each other by the wire alone, what measures them
 * (bench), and the command line on top. Its door for other programs is index.ts: what it shows them stands in four rooms, and
 * nothing inside goes out by it.
 */
const rooms = [
  'model',
  'imaging',
  'store',
  'proto',
  'migrations',
  'database',
  'engine',
  'develop',
  'runner',
  'coordinator',
  'edge-api',
  'bench',
  'cli',
  'test',
];

const below = (room) => rooms.slice(0, rooms.indexOf(room));

/** Tests see what they need. */
const TESTS = '[.](test|fixture)[.]ts$';

/** What each room may import of ours, beside itself. */
const reads = {
  model: [],
  imaging: ['model'],
  store: ['model'],
  proto: ['model'],
  migrations: ['model'],
  database: ['model', 'migrations'],
  engine: ['model'],
  develop: ['model', 'imaging', 'engine'],
  runner: ['model', 'imaging', 'store', 'proto', 'engine', 'develop'],
  coordinator: ['model', 'store', 'proto', 'migrations', 'database'],
  'edge-api': ['model', 'imaging', 'store', 'migrations', 'database'],
  bench: below('bench'),
  cli: below('cli'),
};

/** What the library consists of. */
const LIBRARY = ['model', 'imaging', 'engine', 'develop'];

module.exports = {
  forbidden: [
    {
      name: 'index-reads-the-library',
      comment: 'Who imports implicam gets no service, no command line and no benchmark.',
      severity: 'error',
      from: { path: '^index[.]ts$' },
      to: { path: `^(${rooms.filter((room) => !LIBRARY.includes(room)).join('|')})/` },
    },
    {
      name: 'examples-come-by-the-door',
      comment: 'They import implicam by its name, as other programs do.',
      severity: 'error',
      from: { path: '^examples/' },
      to: { path: `^(${rooms.join('|')})/` },
    },
    {
      name: 'nobody-inside-uses-the-door',
      severity: 'error',
      from: { path: `^(${rooms.join('|')})/`, pathNot: TESTS },
      to: { path: '^index[.]ts$' },
    },
    ...Object.entries(reads).map(([room, allowed]) => ({
      name: `${room}-reads-${allowed.join('-and-') || 'nothing'}`,
      severity: 'error',
      from: { path: `^${room}/`, pathNot: TESTS },
      to: { path: `^(${rooms.filter((r) => r !== room && !allowed.includes(r)).join('|')})/` },
    })),
    {
      name: 'one-bridge-to-native-code',
      comment: 'Only the native engine knows the addon.',
      severity: 'error',
      from: { pathNot: '^engine/native' },
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
