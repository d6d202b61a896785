import { parseArgs } from 'node:util';
import { runChaos } from './cluster/chaos.js';
import { endOnSignals } from './cluster/program.js';
import { runServiceChaos } from './service/chaos.js';
import { PARTS, Service } from './service/service.js';

/**
 * Faults against real processes: `npm run chaos -- --rounds 50 [--seed N] [--faults kill,freeze] [--verbose]` the
 * coordinator, the runners and the network between them; with `--service` the whole service, one part after the other
 * (`--faults serve,coordinator,runner,postgres,start`).
 */
const { values } = parseArgs({
  options: {
    service: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    runners: { type: 'string', default: '3' },
    steps: { type: 'string' },
    faults: { type: 'string' },
    'faults-per-round': { type: 'string', default: '2' },
    verbose: { type: 'boolean', default: false },
  },
});
const began = performance.now();
const say = (line: string) => process.stdout.write(`${line}\n`);
const onLine = (line: string) => say(`  ${((performance.now() - began) / 1000).toFixed(2)} ${line}`);
const shared = {
  rounds: Number(values.rounds),
  seed: Number(values.seed),
  ...(values.steps ? { steps: Number(values.steps) } : {}),
  log: say,
};
endOnSignals();
process.exitCode = (await (values.service ? service() : cluster())) ? 0 : 1;

/** @returns whether all went well */
async function cluster(): Promise<boolean> {
  const report = await runChaos({
    ...shared,
    runners: Number(values.runners),
    faultsPerRound: Number(values['faults-per-round']),
    ...(values.faults ? { faults: values.faults.split(',') } : {}),
    ...(values.verbose ? { onLine } : {}),
  });
  say(
    `seed ${report.seed}: ${report.rounds.length - report.failed} of ${report.rounds.length} rounds gave the same bits; ` +
      `with one fault at most ${(report.worstGapMs / 1000).toFixed(1)} s to the next step, ` +
      `${(report.worstRepeatedMs / 1000).toFixed(1)} s repeated`,
  );
  return report.failed === 0;
}

/** @returns whether all went well */
async function service(): Promise<boolean> {
  const wanted = values.faults?.split(',');
  const parts = PARTS.filter((part) => wanted?.includes(part) ?? true);
  const running = await Service.start({
    args: ['--private-webhooks'],
    ...(values.verbose ? { onLine } : {}),
  });
  try {
    const report = await runServiceChaos(running, { ...shared, parts, webhooks: true });
    for (const line of report.trouble) say(`in the end: ${line}`);
    const count = report.rounds.length;
    say(
      `seed ${report.seed}: in ${count - report.failed} of ${count} rounds all facts held; ` +
        `${report.sessions} sessions trained, ${report.repeated} requests repeated, ` +
        `${report.trouble.length} contradictions in the end`,
    );
    return report.failed === 0 && report.trouble.length === 0;
  } finally {
    await running.stop();
  }
}
