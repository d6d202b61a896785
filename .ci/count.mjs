// Prints the counts of a vitest run from its JSON report: how many tests were skipped for which reason, and last
// "N passed, N failed[, N skipped]". A file that did not even load is one failure: its tests never ran.
import { readFileSync } from 'node:fs';

/** The reason stands in the name of a skipped test, or of what it is in: "… (skipped: no CUDA device)". */
function reasonOf({ ancestorTitles, title }) {
  for (const name of [...ancestorTitles, title]) {
    const reason = / \(skipped: (.*)\)$/.exec(name)?.[1];
    if (reason !== undefined) return reason;
  }
  return 'no reason given';
}

let passed = 0;
let failed = 0;
let skipped = 0;
const reasons = new Map();
try {
  const { testResults } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
  for (const { status, assertionResults } of testResults) {
    const count = (wanted) => assertionResults.filter((test) => test.status === wanted).length;
    passed += count('passed');
    failed += count('failed');
    for (const test of assertionResults) {
      if (test.status === 'passed' || test.status === 'failed') continue;
      skipped++;
      const reason = reasonOf(test);
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    if (status === 'failed' && count('failed') === 0) failed++;
  }
} catch (error) {
  console.error(`ci: there are no test results: ${error.message}`);
  failed = 1;
}
if (reasons.size > 0) {
  const groups = [...reasons].sort(([, a], [, b]) => b - a).map(([reason, n]) => `${n} skipped: ${reason}`);
  console.log(`ci: ${groups.join('; ')}`);
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
