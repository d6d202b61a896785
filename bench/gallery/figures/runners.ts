import { reductionTree } from '../../../model/reduction.js';
import { COLOURS, INK, svg, text } from '../plot.js';
import type { Figure } from './figure.js';

/** The reduction tree: eight shards on three runners, drawn from the tree itself. */

const SHARDS = 8;
const RUNNERS = [
  { name: 'runner A', shards: [0, 1, 2, 3], colour: COLOURS.blue },
  { name: 'runner B', shards: [4, 5], colour: COLOURS.green },
  { name: 'runner C', shards: [6, 7], colour: COLOURS.orange },
];

const STEP = 84;
const LEFT = 60;
const BOTTOM = 300;
const RISE = 82;
const WIDTH = LEFT * 2 + STEP * (SHARDS - 1);

interface Node {
  readonly x: number;
  readonly level: number;
  readonly shard: number;
  readonly label: string;
}

const holder = (shard: number) => RUNNERS.find((r) => r.shards.includes(shard))!;
const height = (level: number) => BOTTOM - level * RISE;

const tree: Figure = async () => {
  const out: string[] = [];
  for (const { name, shards, colour } of RUNNERS) {
    const x = LEFT + STEP * shards[0] - 34;
    const width = STEP * (shards.length - 1) + 68;
    out.push(
      `<rect x="${x}" y="${BOTTOM - 34}" width="${width}" height="96" rx="8" fill="${colour}" fill-opacity="0.1" stroke="${colour}" stroke-opacity="0.5"/>`,
      text(x + width / 2, BOTTOM + 50, name, `text-anchor="middle" font-weight="bold" fill="${colour}"`),
    );
  }
  const nodes: Node[] = Array.from({ length: SHARDS }, (_, shard) => ({
    x: LEFT + STEP * shard,
    level: 0,
    shard,
    label: String(shard),
  }));
  const edges: string[] = [];
  const dots: string[] = nodes.map(dot);
  for (const { into, from } of reductionTree(SHARDS)) {
    const [a, b] = [nodes[into], nodes[from]];
    const sum: Node = {
      x: (a.x + b.x) / 2,
      level: Math.max(a.level, b.level) + 1,
      shard: a.shard,
      label: `${a.label.split('–')[0]}–${b.label.split('–').at(-1)}`,
    };
    for (const child of [a, b]) {
      const crosses = holder(child.shard) !== holder(sum.shard);
      const [y1, y2] = [height(child.level) - 15, height(sum.level) + 15];
      edges.push(
        `<path d="M${child.x} ${y1}L${sum.x} ${y2}" fill="none" stroke="${crosses ? COLOURS.red : '#9a9a9a'}" stroke-width="${crosses ? 2.5 : 1.5}"${crosses ? ' stroke-dasharray="7 4"' : ''}/>`,
      );
      if (crosses) {
        edges.push(
          text(
            (child.x + sum.x) / 2 + 12,
            (y1 + y2) / 2,
            'a message',
            `fill="${COLOURS.red}" font-size="12"`,
          ),
        );
      }
    }
    dots.push(dot(sum));
    nodes[into] = sum;
  }
  out.push(...edges, ...dots);
  const top = nodes[0];
  out.push(
    text(
      top.x,
      height(top.level) - 28,
      'the sum of all shards goes back to all runners',
      'text-anchor="middle"',
    ),
  );
  return svg(WIDTH, BOTTOM + 76, 'Eight shards on three runners, summed in a tree', out.join('\n'));
};

function dot({ x, level, shard, label }: Node): string {
  const { colour } = holder(shard);
  const width = level === 0 ? 34 : 52;
  const y = height(level);
  return [
    `<rect x="${x - width / 2}" y="${y - 15}" width="${width}" height="30" rx="15" fill="#ffffff" stroke="${colour}" stroke-width="2"/>`,
    text(x, y + 4.5, label, `text-anchor="middle" fill="${INK}"`),
  ].join('');
}

export const runnerFigures: Readonly<Record<string, Figure>> = { 'learn/tree.svg': tree };
