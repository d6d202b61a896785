import { parseArgs } from 'node:util';
import { endOnSignals } from './cluster/program.js';
import { runSoak } from './cluster/soak.js';

/** `npm run soak -- [--minutes 10] [--seed N]`: trainings one after the other while runners join and leave. */
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' } },
});
endOnSignals();
const report = await runSoak({
  minutes: Number(values.minutes),
  seed: Number(values.seed),
  log: (line) => process.stdout.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify(report)}\n`);
process.exitCode = report.trouble.length > 0 ? 1 : 0;
