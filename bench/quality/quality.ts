import { parseArgs } from 'node:util';
import { QUALITIES, type Quality } from '../../develop/options.js';
import { ImplicamError } from '../../model/errors.js';
import { GALLERY } from '../gallery/sets.js';
import { atMost, HALVES, type Half, type QualityCapture, qualityCaptures } from './captures.js';
import { type Judgement, judge, judgeFrames } from './judge.js';
import { reportOf } from './report.js';

/**
 * `npm run quality`: develops generated captures like people's, and real ones where their folder is given, and compares
 * the results with simpler methods. Progress goes to standard error, the report to standard output.
 */

interface Task {
  readonly name: string;
  /** What its time is expected to be in proportion to. */
  readonly work: number;
  /** Nothing where it has no truth to be compared with. */
  readonly run: () => Promise<Judgement | undefined>;
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      half: { type: 'string', default: 'report' },
      only: { type: 'string', default: '' },
      size: { type: 'string' },
      quality: { type: 'string', default: 'draft' },
      data: { type: 'string' },
      count: { type: 'string' },
      minutes: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const usage = (message: string) => new ImplicamError('bad-option', message, { exitCode: 2 });
  const number = (name: 'size' | 'count' | 'minutes', low: number) => {
    const text = values[name];
    if (text === undefined) return Number.POSITIVE_INFINITY;
    const value = Number(text);
    if (!(value >= low)) throw usage(`--${name} is a number from ${low}, not ${text}`);
    return value;
  };
  if (!HALVES.includes(values.half as Half)) throw usage(`--half is one of ${HALVES.join(', ')}`);
  if (!QUALITIES.includes(values.quality as Quality)) {
    throw usage(`--quality is one of ${QUALITIES.join(', ')}`);
  }
  return {
    ...values,
    half: values.half as Half,
    quality: values.quality as Quality,
    size: number('size', 64),
    count: number('count', 1),
    minutes: number('minutes', 0),
  };
}

type Options = ReturnType<typeof readOptions>;

function tasksOf({ half, only, size, quality, data, count }: Options): Task[] {
  const generated = qualityCaptures(half).map((capture) => generatedTask(atMost(capture, size), quality));
  const real = data === undefined ? [] : realTasks(data, Math.min(size, 400), quality);
  const tasks = [...real, ...generated].filter(({ name }) => name.includes(only)).slice(0, count);
  if (tasks.length > 0) return tasks;
  throw new ImplicamError('bad-option', `no capture has "${only}" in its name`, { exitCode: 2 });
}

function generatedTask(capture: QualityCapture, quality: Quality): Task {
  const { width, height, focus = 3, exposures = 3, retakes = 0 } = capture.options;
  return {
    name: capture.name,
    work: width * height * (2 + focus * exposures * (1 + retakes)),
    run: () => judge(capture, quality),
  };
}

/** Captures that nobody of this project made: those of the gallery that have a truth. */
function realTasks(data: string, size: number, quality: Quality): Task[] {
  return GALLERY.map(({ name, load }) => ({
    name: `real/${name}`,
    work: size * size * 5,
    run: async () => {
      const { frames, truth } = await load(data, size);
      return truth && judgeFrames(`real/${name}`, frames, truth, quality);
    },
  }));
}

async function main(): Promise<void> {
  const options = readOptions();
  const tasks = tasksOf(options);
  const began = performance.now();
  const judgements: Judgement[] = [];
  const failed: string[] = [];
  let done = 0;
  let left = tasks.reduce((sum, t) => sum + t.work, 0);
  for (const [i, { name, work, run }] of tasks.entries()) {
    if (performance.now() - began > options.minutes * 60_000) break;
    const outcome = await run().catch((error: unknown) => {
      // A capture that is refused says so, and does not cost the others.
      if (!(error instanceof ImplicamError)) throw error;
      failed.push(`${name}: ${error.message}`);
      return undefined;
    });
    done += work;
    left -= work;
    const seconds = (performance.now() - began) / 1000;
    const minutes = ((seconds / done) * left) / 60;
    const words = outcome
      ? `${outcome.decibels.ours.toFixed(1)} dB${outcome.lost ? `, lost by ${outcome.lost.by.toFixed(1)}` : ''}`
      : 'no score';
    process.stderr.write(
      `${i + 1}/${tasks.length} ${name}: ${words}; about ${minutes.toFixed(1)} min left\n`,
    );
    if (outcome) judgements.push(outcome);
  }
  if (options.json) process.stdout.write(`${JSON.stringify({ half: options.half, judgements, failed })}\n`);
  else process.stdout.write(page(judgements, failed, tasks.length, options));
  if (failed.length > 0) process.exitCode = 1;
}

function page(
  judgements: readonly Judgement[],
  failed: readonly string[],
  planned: number,
  { half, quality }: Options,
): string {
  const refused = failed.map((f) => `- refused: ${f}\n`).join('');
  if (judgements.length === 0) return `no capture could be judged\n${refused}`;
  return `${judgements.length} of ${planned} captures, half "${half}", quality ${quality}\n\n${reportOf(judgements)}\n${refused}`;
}

main().catch((error: unknown) => {
  const known = error instanceof ImplicamError;
  console.error(known ? `implicam: ${error.message}` : error);
  process.exitCode = known ? error.exitCode : 1;
});
