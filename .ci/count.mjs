// Prints the counts of a vitest run from its JSON report, "N passed, N failed". A file that did not even load is one
// failure: its tests never ran.
import { readFileSync } from 'node:fs';

let passed = 0;
let failed = 0;
let skipped = 0;
try {
  const { testResults } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
  for (const { status, assertionResults } of testResults) {
    const count = (wanted) => assertionResults.filter((test) => test.status === wanted).length;
    passed += count('passed');
    failed += count('failed');
    skipped += assertionResults.length - count('passed') - count('failed');
    if (status === 'failed' && count('failed') === 0) failed++;
  }
} catch (error) {
  console.error(`ci: there are no test results: ${error.message}`);
  failed = 1;
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
