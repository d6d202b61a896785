import { parseArgs } from 'node:util';
import { runChaos } from './cluster/chaos.js';

/** `npm run chaos -- --rounds 50 [--seed N] [--faults kill,freeze] [--verbose]`: faults against real processes. */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    runners: { type: 'string', default: '3' },
    steps: { type: 'string', default: '1500' },
    faults: { type: 'string' },
    'faults-per-round': { type: 'string', default: '2' },
    verbose: { type: 'boolean', default: false },
  },
});
const began = performance.now();
const report = await runChaos({
  rounds: Number(values.rounds),
  seed: Number(values.seed),
  runners: Number(values.runners),
  steps: Number(values.steps),
  faultsPerRound: Number(values['faults-per-round']),
  ...(values.faults ? { faults: values.faults.split(',') } : {}),
  log: (line) => process.stdout.write(`${line}\n`),
  ...(values.verbose
    ? {
        onLine: (line) =>
          process.stdout.write(`  ${((performance.now() - began) / 1000).toFixed(2)} ${line}\n`),
      }
    : {}),
});
process.stdout.write(
  `seed ${report.seed}: ${report.rounds.length - report.failed} of ${report.rounds.length} rounds gave the same bits; ` +
    `with one fault at most ${(report.worstGapMs / 1000).toFixed(1)} s to the next step, ` +
    `${(report.worstRepeatedMs / 1000).toFixed(1)} s repeated\n`,
);
process.exitCode = report.failed > 0 ? 1 : 0;
