import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeFileWhole } from '../../imaging/write.js';
import { ImplicamError } from '../../model/errors.js';
import type { Figure } from './figures/figure.js';
import { renderFigures } from './figures/renders.js';
import { runnerFigures } from './figures/runners.js';
import { sceneFigures } from './figures/scenes.js';
import { startFigures } from './figures/start.js';
import { trainingFigures } from './figures/training.js';

/**
 * `npm run figures [-- --only NAME]`: every picture of the documentation, photographed, developed and drawn from
 * nothing.
 */

const FIGURES: Readonly<Record<string, Figure>> = {
  ...startFigures,
  ...trainingFigures,
  ...renderFigures,
  ...runnerFigures,
  ...sceneFigures,
};

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, out: { type: 'string', default: 'docs/images' } },
});
const chosen = Object.entries(FIGURES).filter(([name]) => name.includes(values.only));
if (chosen.length === 0) {
  const names = Object.keys(FIGURES).join(', ');
  throw new ImplicamError('bad-option', `no figure has "${values.only}" in its name: ${names}`, {
    exitCode: 2,
  });
}
for (const [name, draw] of chosen) {
  const file = join(values.out, name);
  const content = await draw();
  await mkdir(dirname(file), { recursive: true });
  await writeFileWhole(file, content);
  console.log(`${file}: ${Math.ceil(content.length / 1024)} KiB`);
}
