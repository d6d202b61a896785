import type { Frame } from '../../../model/picture.js';

/**
 * Where a frame is sharp, in a form that two frames of different exposure can be compared by: the energy of fine
 * detail over that of coarse detail, per cell. A response and an exposure scale both alike, so that they cancel;
 * defocus takes the fine detail only. Cells forgive the small shifts of a hand-held capture.
 */
export interface SharpnessMap {
  readonly columns: number;
  readonly rows: number;
  /** Energy of fine detail (Laplacian at one pixel of the reduced picture), noise removed. */
  readonly fine: Float64Array;
  /** Energy of coarse detail (Laplacian at four pixels). */
  readonly coarse: Float64Array;
  /** 1 where the cell is neither clipped nor black. */
  readonly exposed: Uint8Array;
}

/** Frames are reduced to at most this side first. */
const LONGEST_SIDE = 1000;
/** Cell side in pixels of the reduced picture. */
const CELL = 16;
/** The quietest cells show the noise, at most this much (squared codes). */
const QUIET_SHARE = 0.03;
const MOST_NOISE = 60;
/** Squared codes of coarse detail below which a cell has nothing to compare. */
const LEAST_DETAIL = 10;

/** @param mask one byte a pixel, 0 = leave out; a cell with a masked pixel is not compared */
export function sharpnessMap(frame: Frame, mask?: Uint8Array): SharpnessMap {
  const luma = reducedLuma(frame, mask);
  const half = halved(luma);
  const quarter = halved(half);
  const columns = Math.max(1, Math.floor(luma.width / CELL));
  const rows = Math.max(1, Math.floor(luma.height / CELL));
  const fine = cellEnergy(luma, CELL, columns, rows);
  const noise = Math.min(MOST_NOISE, fine.slice().sort()[Math.floor(QUIET_SHARE * fine.length)]);
  const smoothFine = neighbourMean(fine, columns, rows);
  for (let i = 0; i < smoothFine.length; i++) {
    // What is left of pure noise is noise too: keep it from looking like infinitely strong blur.
    smoothFine[i] = Math.max(smoothFine[i] - noise, 0) + 0.5 * noise + 0.3;
  }
  const coarse = neighbourMean(cellEnergy(quarter, CELL / 4, columns, rows), columns, rows);
  const clipped = neighbourMean(cellShare(luma, CLIPPED, columns, rows), columns, rows);
  const black = neighbourMean(cellShare(luma, DARK, columns, rows), columns, rows);
  const exposed = Uint8Array.from(clipped, (share, i) => (share <= 0.05 && black[i] <= 0.2 ? 1 : 0));
  return { columns, rows, fine: smoothFine, coarse, exposed };
}

export interface SharpnessDifference {
  /** Share of the picture's cells that both frames expose well and that have detail. */
  readonly share: number;
  /**
   * Spread (10th to 90th percentile) over the cells of the ln ratio of sharpness, an amplitude: 0.03 … 0.5 for frames
   * of one focus (noise, exposure, some movement), 1 … 2 where what is sharp changes.
   */
  readonly spread: number;
}

/** Compares two maps of equally large frames. */
export function sharpnessDifference(a: SharpnessMap, b: SharpnessMap): SharpnessDifference {
  const ratios: number[] = [];
  for (let i = 0; i < a.fine.length; i++) {
    if (a.exposed[i] === 0 || b.exposed[i] === 0) continue;
    if (a.coarse[i] < LEAST_DETAIL || b.coarse[i] < LEAST_DETAIL) continue;
    ratios.push(0.5 * Math.log((a.fine[i] * b.coarse[i]) / (a.coarse[i] * b.fine[i])));
  }
  if (ratios.length === 0) return { share: 0, spread: 0 };
  const sorted = Float64Array.from(ratios).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { share: ratios.length / a.fine.length, spread: at(0.9) - at(0.1) };
}

interface Luma {
  readonly width: number;
  readonly height: number;
  /** Codes 0 … 255. */
  readonly data: Float32Array;
  /** Bits CLIPPED and DARK a pixel: any channel of any of its pixels is white; it is black or masked. */
  readonly flags: Uint8Array;
}

const CLIPPED = 1;
const DARK = 2;

/** Mean of (R + 2G + B) / 4 over blocks that bring the longer side to LONGEST_SIDE at most. */
function reducedLuma(frame: Frame, mask?: Uint8Array): Luma {
  const factor = Math.max(1, Math.ceil(Math.max(frame.width, frame.height) / LONGEST_SIDE));
  const width = Math.max(1, Math.floor(frame.width / factor));
  const height = Math.max(1, Math.floor(frame.height / factor));
  const data = new Float32Array(width * height);
  const flags = new Uint8Array(width * height);
  const source = frame.data;
  const scale = source instanceof Uint16Array ? 1 / 257 : 1;
  const white = 250 / scale;
  const black = 6 / scale;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      let flag = 0;
      for (let j = 0; j < factor; j++) {
        let p = (y * factor + j) * frame.width + x * factor;
        for (let i = 0; i < factor; i++, p++) {
          const r = source[3 * p];
          const g = source[3 * p + 1];
          const b = source[3 * p + 2];
          sum += r + 2 * g + b;
          if (r >= white || g >= white || b >= white) flag |= CLIPPED;
          if (g <= black || (mask && mask[p] === 0)) flag |= DARK;
        }
      }
      data[y * width + x] = (sum * scale) / (4 * factor * factor);
      flags[y * width + x] = flag;
    }
  }
  return { width, height, data, flags };
}

function halved({ width, height, data }: Luma): Luma {
  const w = Math.max(1, width >> 1);
  const h = Math.max(1, height >> 1);
  const out = new Float32Array(w * h);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const i = 2 * y * width + 2 * x;
      const right = 2 * x + 1 < width ? 1 : 0;
      const below = 2 * y + 1 < height ? width : 0;
      out[y * w + x] = 0.25 * (data[i] + data[i + right] + data[i + below] + data[i + below + right]);
    }
  }
  return { width: w, height: h, data: out, flags: new Uint8Array(0) };
}

/** Mean squared Laplacian of every cell. */
function cellEnergy(
  { width, height, data }: Luma,
  cell: number,
  columns: number,
  rows: number,
): Float64Array {
  const energy = new Float64Array(columns * rows);
  const count = new Float64Array(columns * rows);
  for (let y = 1; y < Math.min(height - 1, rows * cell); y++) {
    for (let x = 1; x < Math.min(width - 1, columns * cell); x++) {
      const i = y * width + x;
      const laplacian = 4 * data[i] - data[i - 1] - data[i + 1] - data[i - width] - data[i + width];
      const k = Math.floor(y / cell) * columns + Math.floor(x / cell);
      energy[k] += laplacian * laplacian;
      count[k]++;
    }
  }
  for (let k = 0; k < energy.length; k++) energy[k] /= Math.max(1, count[k]);
  return energy;
}

/** Share of every cell's pixels that carry the flag. */
function cellShare(
  { width, height, flags }: Luma,
  flag: number,
  columns: number,
  rows: number,
): Float64Array {
  const share = new Float64Array(columns * rows);
  for (let y = 0; y < Math.min(height, rows * CELL); y++) {
    for (let x = 0; x < Math.min(width, columns * CELL); x++) {
      if (flags[y * width + x] & flag) share[Math.floor(y / CELL) * columns + Math.floor(x / CELL)]++;
    }
  }
  return share.map((n) => n / (CELL * CELL));
}

/** Mean over each cell and its up to eight neighbours. */
function neighbourMean(cells: Float64Array, columns: number, rows: number): Float64Array {
  const out = new Float64Array(cells.length);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      let sum = 0;
      let count = 0;
      for (let j = Math.max(0, y - 1); j <= Math.min(rows - 1, y + 1); j++) {
        for (let i = Math.max(0, x - 1); i <= Math.min(columns - 1, x + 1); i++) {
          sum += cells[j * columns + i];
          count++;
        }
      }
      out[y * columns + x] = sum / count;
    }
  }
  return out;
}
