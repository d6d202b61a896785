import type { ModelConfig } from './config.js';
import { FEATURES, type GridLevel, gridLevels, gridNodes } from './hash-grid.js';
import type { Shard } from './shards.js';

/** Who holds a group of parameters: every shard the same (`shared`), or one shard its own. */
export type Scope = 'shared' | { readonly shard: number };

/** The kinds of parameters; each has one learning rate (`train.rates`) and one rule of update. */
export type GroupKind =
  | 'atlasGrid'
  | 'atlasMlp'
  | 'mapGrid'
  | 'mapMlp'
  | 'blur'
  | 'tone'
  | 'exposure'
  | 'focus'
  | 'kappa'
  | 'registration';

/** A named, contiguous run of the flat parameter vector. */
export interface Group {
  readonly name: string;
  readonly kind: GroupKind;
  readonly scope: Scope;
  readonly offset: number;
  readonly size: number;
  /** Sparse groups (grids) are updated only where a step's gradient is not exactly zero. */
  readonly sparse: boolean;
}

/** The flat parameter vector of a training: groups in order, each starting on a cache line (16 floats). */
export interface Layout {
  readonly groups: readonly Group[];
  /** Length of the vector, padding included. */
  readonly size: number;
  /** Levels of the atlas' and of the defocus map's grid; the same for every shard. Empty when there is none. */
  readonly atlasLevels: readonly GridLevel[];
  readonly mapLevels: readonly GridLevel[];
}

/** Widths of the scene network, input and output (ln radiance) included. */
export function atlasWidths(config: ModelConfig): number[] {
  const { atlas } = config;
  if (atlas.form === 'siren') {
    return [2, ...Array<number>(atlas.layers).fill(atlas.width), 3];
  }
  return [FEATURES * atlas.levels, ...atlas.hidden, 3];
}

/** Widths of the defocus network of a lens; empty for other blurs. */
export function mapWidths(config: ModelConfig): number[] {
  return config.blur.form === 'lens' ? [FEATURES * config.blur.levels, ...config.blur.hidden, 1] : [];
}

/** Widths of the free blur generator: (focus, x, y) → K weights and 2K offsets; empty for other blurs. */
export function freeBlurWidths(config: ModelConfig): number[] {
  return config.blur.form === 'free' ? [3, ...config.blur.hidden, 3 * config.blur.taps] : [];
}

/** Parameters of a fully connected network: per layer W[out][in] row-major, then b[out]. */
export function mlpSize(widths: readonly number[]): number {
  let size = 0;
  for (let l = 1; l < widths.length; l++) size += widths[l] * (widths[l - 1] + 1);
  return size;
}

/** Parameters of the tone mapper: knots − 1 logits a channel, or a[h], b[h], c[h], d a channel. */
export function toneSize(config: ModelConfig): number {
  return config.tone.form === 'knots' ? 3 * (config.tone.knots - 1) : 3 * (3 * config.tone.hidden + 1);
}

/** Learned registration is affine: which coefficient of a view's homography each of its parameters adds to. */
export const AFFINE = [2, 5, 0, 4, 1, 3] as const;

export interface LayoutInput {
  readonly config: ModelConfig;
  readonly shards: readonly Shard[];
  readonly views: number;
  readonly focusSettings: number;
  readonly exposureParameters: number;
}

/** Lays out every parameter of a training. Shard-scoped groups come last, in shard order. */
export function createLayout(input: LayoutInput): Layout {
  const { config, shards } = input;
  const { atlas, blur } = config;
  const rect = shards[0].grid;
  const atlasLevels = atlas.form === 'hash' ? gridLevels(atlas, rect.width, rect.height) : [];
  const mapLevels = blur.form === 'lens' ? gridLevels(blur, rect.width, rect.height) : [];

  const groups: Group[] = [];
  let offset = 0;
  const add = (name: string, kind: GroupKind, size: number, scope: Scope = 'shared', sparse = false) => {
    if (size === 0) return;
    groups.push({ name, kind, scope, offset, size, sparse });
    offset += Math.ceil(size / 16) * 16;
  };

  add('atlas.mlp', 'atlasMlp', mlpSize(atlasWidths(config)));
  add('map.mlp', 'mapMlp', mlpSize(mapWidths(config)));
  add('blur.mlp', 'blur', mlpSize(freeBlurWidths(config)));
  add('tone', 'tone', toneSize(config));
  add('exposure', 'exposure', input.exposureParameters);
  add('focus', 'focus', blur.form === 'none' ? 0 : input.focusSettings);
  add('kappa', 'kappa', blur.form === 'lens' ? 1 : 0);
  // The first view is the reference: it does not move.
  add(
    'registration',
    'registration',
    config.registration === 'affine' ? (input.views - 1) * AFFINE.length : 0,
  );

  const tiled = shards.some((s) => s.tiled);
  for (const [index, shard] of shards.entries()) {
    if (!tiled && index > 0) break;
    const scope: Scope = shard.tiled ? { shard: index } : 'shared';
    const suffix = shard.tiled ? `/${index}` : '';
    add(`atlas.grid${suffix}`, 'atlasGrid', FEATURES * gridNodes(atlasLevels), scope, true);
    add(`map.grid${suffix}`, 'mapGrid', FEATURES * gridNodes(mapLevels), scope, true);
  }
  return { groups, size: offset, atlasLevels, mapLevels };
}

/** The group of that name, or undefined where the model has none. */
export function findGroup(layout: Layout, name: string): Group | undefined {
  return layout.groups.find((g) => g.name === name);
}

/** Offset of a grid in the vector as one shard sees it, or −1 where the model has none. */
export function gridOffset(layout: Layout, grid: 'atlas.grid' | 'map.grid', shard: number): number {
  return (findGroup(layout, `${grid}/${shard}`) ?? findGroup(layout, grid))?.offset ?? -1;
}
