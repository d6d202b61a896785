/**
 * Multiresolution hash grid over a rectangle of the picture (Müller et al., "Instant neural graphics primitives",
 * SIGGRAPH 2022). Level l has `nx × ny` nodes, `scale` cells a pixel; where they fit into the table they are stored
 * densely, else hashed. Two features a node.
 */

/** Features of one node. */
export const FEATURES = 2;

export interface GridLevel {
  /** First node of the level in the table, in nodes. */
  readonly offset: number;
  readonly nx: number;
  readonly ny: number;
  /** Nodes stored: nx·ny, or the table size (a power of two) when hashed. */
  readonly nodes: number;
  readonly hashed: boolean;
  /** Cells per pixel; single precision, so that every engine computes the same cell. */
  readonly scale: number;
}

export interface GridOptions {
  readonly levels: number;
  /** Cells along the long side at the coarsest level. */
  readonly base: number;
  /** Cells per pixel at the finest level. */
  readonly finest: number;
  readonly log2Table: number;
}

/** The levels of a grid over a `width × height` pixel rectangle; a geometric ladder from `base` to `finest`. */
export function gridLevels(options: GridOptions, width: number, height: number): GridLevel[] {
  const long = Math.max(width, height);
  const top = Math.max(options.base, long * options.finest);
  const growth = options.levels > 1 ? (top / options.base) ** (1 / (options.levels - 1)) : 1;
  const table = 2 ** options.log2Table;
  const levels: GridLevel[] = [];
  let offset = 0;
  for (let l = 0; l < options.levels; l++) {
    const scale = Math.fround((options.base * growth ** l) / long);
    const nx = Math.ceil(width * scale) + 1;
    const ny = Math.ceil(height * scale) + 1;
    const hashed = nx * ny > table;
    const nodes = hashed ? table : nx * ny;
    levels.push({ offset, nx, ny, nodes, hashed, scale });
    // A cache line holds 8 nodes: a level starts on its own line.
    offset += Math.ceil(nodes / 8) * 8;
  }
  return levels;
}

/** Nodes of all levels together, padding included. */
export function gridNodes(levels: readonly GridLevel[]): number {
  const last = levels.at(-1);
  return last ? last.offset + Math.ceil(last.nodes / 8) * 8 : 0;
}

/** Table index of node (x, y) of a level. */
export function nodeIndex(level: GridLevel, x: number, y: number): number {
  if (!level.hashed) return level.offset + y * level.nx + x;
  return level.offset + (((x >>> 0) ^ (Math.imul(y, 2654435761) >>> 0)) & (level.nodes - 1));
}
