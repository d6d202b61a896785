import { assert } from '../../model/errors.js';
import * as compare from './align/compare.js';
import * as features from './align/features.js';
import * as compiled from './compiled.js';
import * as semiGlobal from './depth/semi-global.js';
import * as sweepLoops from './depth/sweep-loops.js';
import * as layers from './edges/layers.js';
import * as levels from './edges/levels.js';
import * as merge from './merge/merge.js';
import * as pixelRadiance from './merge/pixel-radiance.js';
import * as shrink from './merge/shrink.js';
import * as response from './response/response.js';

/** The constants that the compiled loops of the start share with the TypeScript that defines them. */
export function constantsHeader(): string {
  return `// Written by \`npm run constants\` from the TypeScript that defines these: see develop/start/constants.ts.
#pragma once

namespace implicam::start {

${[
  constants(
    'align/compare',
    compare,
    ['FIELDS', 'TILES', 'BINS'],
    ['BIN', 'SCALE', 'LEAST_CURVATURE', 'LEAST_MEDIAN'],
  ),
  constants('align/features', features, ['WINDOW'], ['NOISE', 'SHOT_NOISE', 'FLOOR', 'LEAST_SHARE']),
  constants('compiled', compiled, ['MOST_MERGED']),
  constants('depth/semi-global', semiGlobal, ['MAXIMUM_COST']),
  constants('depth/sweep-loops', sweepLoops, ['LIMIT', 'BLOCK', 'STEPS']),
  constants('edges/layers', layers, ['FINE', 'COARSE', 'INPUT', 'OUTPUT']),
  constants(
    'edges/levels',
    levels,
    ['MARGIN', 'PLANES'],
    ['MU', 'CURVE', 'CEILING', 'LARGEST_SPAN', 'SPAN_UNIT'],
  ),
  constants('merge/merge', merge, ['SLOT_BITS']),
  constants(
    'merge/pixel-radiance',
    pixelRadiance,
    ['SEGMENTS', 'STEPS'],
    ['BLACK', 'WHITE', 'FULL', 'LONGEST_STEP', 'CLOSE', 'DAMPING', 'ROUNDING'],
  ),
  constants('merge/shrink', shrink, ['SIDE', 'AREA'], ['THRESHOLD', 'HALF', 'WIDE', 'NARROW']),
  constants('response/response', response, [], ['RESPONSE_MIN', 'KNOT_STEP']),
].join('\n')}
}  // namespace implicam::start
`;
}

/** A file's constants as C++, in a namespace of its name: whole numbers, and doubles. */
function constants<Name extends string>(
  file: string,
  module: Readonly<Record<Name, number>>,
  whole: readonly Name[],
  doubles: readonly Name[] = [],
): string {
  const words = file.split('/').at(-1)!.split('-');
  const name = words.map((word, i) => (i === 0 ? word : word[0].toUpperCase() + word.slice(1))).join('');
  return [
    `namespace ${name} {  // develop/start/${file}.ts`,
    ...whole.map((key) => `constexpr int ${key} = ${wholeNumber(key, module[key])};`),
    // The shortest text that reads as the same double.
    ...doubles.map((key) => `constexpr double ${key} = ${module[key]};`),
    `}  // namespace ${name}\n`,
  ].join('\n');
}

function wholeNumber(name: string, value: number): number {
  assert(Number.isInteger(value), `${name} is ${value}, no whole number`);
  return value;
}
