import { percentile } from '../../model/percentile.js';
import { BASELINES, type Baseline, type Judgement } from './judge.js';

/** What is printed of many captures, as a page of Markdown. */

const LABELS: Readonly<Record<Baseline | 'mertens', string>> = {
  bestFrame: 'best single frame',
  debevec: 'Debevec, sharpest focus by contrast',
  laplacian: 'choice by Laplacian maximum',
  pyramid: 'Laplacian pyramid fusion',
  mertens: "Mertens' exposure fusion, displayed",
};

interface Pair {
  readonly name: string;
  readonly ours: number;
  readonly theirs: number;
}

const at = (values: readonly number[], p: number) => percentile(Float32Array.from(values), p);
const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
const signed = (v: number) => `${v < 0 ? '−' : '+'} ${Math.abs(v).toFixed(1)}`;

export function reportOf(judgements: readonly Judgement[]): string {
  const head = [
    'against',
    'captures',
    'theirs',
    'ours',
    'gain: median',
    'worst tenth',
    'worst',
    'which',
    'lost',
  ];
  const rows = [
    ...BASELINES.map((b) => compared(LABELS[b], radiancePairs(judgements, b))),
    compared(
      LABELS.mertens,
      judgements.map(({ name, display }) => ({ name, ours: display.ours, theirs: display.mertens })),
    ),
  ].filter((row) => row !== undefined);
  return [
    [line(head), line(head.map(() => '---')), ...rows].join('\n'),
    byPreset(judgements),
    colours(judgements),
    losses(judgements),
  ].join('\n\n');
}

function radiancePairs(judgements: readonly Judgement[], baseline: Baseline): Pair[] {
  return judgements.flatMap(({ name, decibels }) => {
    const theirs = decibels.baselines[baseline];
    return theirs === undefined ? [] : [{ name, ours: decibels.ours, theirs }];
  });
}

function compared(label: string, pairs: readonly Pair[]): string | undefined {
  if (pairs.length === 0) return undefined;
  const gains = pairs.map((p) => p.ours - p.theirs);
  const worst = gains.indexOf(Math.min(...gains));
  const median = (values: readonly number[]) => at(values, 50).toFixed(1);
  return line([
    label,
    String(pairs.length),
    median(pairs.map((p) => p.theirs)),
    median(pairs.map((p) => p.ours)),
    signed(at(gains, 50)),
    signed(at(gains, 10)),
    signed(gains[worst]),
    pairs[worst].name,
    String(gains.filter((g) => g < 0).length),
  ]);
}

function byPreset(judgements: readonly Judgement[]): string {
  const head = [
    'captures of',
    'number',
    'ours: median',
    'worst tenth',
    'worst',
    'which',
    'gain over the best of them: median',
  ];
  const kinds = [...new Set(judgements.map((j) => j.name.split('/')[0]))].sort();
  const rows = kinds.map((kind) => {
    const mine = judgements.filter((j) => j.name.startsWith(`${kind}/`));
    const scores = mine.map((j) => j.decibels.ours);
    const worst = scores.indexOf(Math.min(...scores));
    const gains = mine.map((j) => j.decibels.ours - bestOf(j));
    return line([
      kind,
      String(mine.length),
      at(scores, 50).toFixed(1),
      at(scores, 10).toFixed(1),
      scores[worst].toFixed(1),
      mine[worst].name,
      signed(at(gains, 50)),
    ]);
  });
  return [line(head), line(head.map(() => '---')), ...rows].join('\n');
}

const bestOf = ({ decibels }: Judgement) => Math.max(...Object.values(decibels.baselines));

/** How far a channel is from the others, in per cent of the gain. */
export function castOf({ ours }: Pick<Judgement, 'ours'>): number {
  return 100 * Math.max(...ours.channelGains.map((g) => Math.abs(Math.log(g))));
}

function colours(judgements: readonly Judgement[]): string {
  const casts = judgements.map(castOf);
  const worst = judgements[casts.indexOf(Math.max(...casts))];
  const gains = worst.ours.channelGains.map((g) => g.toFixed(3)).join(' ');
  const medians = judgements.map((j) => j.ours.deltaE.median);
  const tails = judgements.map((j) => j.ours.deltaE.p95);
  return (
    `Channels after the common gain: the farthest is ${at(casts, 50).toFixed(1)} % off in the median capture, ` +
    `${at(casts, 90).toFixed(1)} % in the worst tenth, ${Math.max(...casts).toFixed(1)} % at worst ` +
    `(${worst.name}: ${gains}). ΔE of the displayed picture, median over captures: ${at(medians, 50).toFixed(2)} ` +
    `(its 95th percentile ${at(tails, 50).toFixed(2)}); worst tenth ${at(medians, 90).toFixed(2)} ` +
    `(${at(tails, 90).toFixed(2)}).`
  );
}

function losses(judgements: readonly Judgement[]): string {
  const lost = judgements
    .flatMap(({ lost, ...others }) => (lost ? [{ ...others, ...lost }] : []))
    .sort((a, b) => b.by - a.by);
  if (lost.length === 0) return 'No capture is lost to a baseline.';
  const items = lost.map(
    ({ name, width, height, decibels, command, to, by, why }) =>
      `- ${name} (${width} × ${height}): ${decibels.ours.toFixed(1)} dB, ${by.toFixed(1)} less than ${LABELS[to]}; ` +
      (why.length > 0 ? why.join('; ') : 'why cannot be told') +
      (command ? ` (\`${command}\`)` : ''),
  );
  return [`Lost to the best baseline: ${lost.length} of ${judgements.length}.`, '', ...items].join('\n');
}
