import type { Frame } from '../../../model/picture.js';

/**
 * Borders that are no photograph: what alignment or scanning left empty, filled with black or with a pure colour (the
 * Stanford Memorial Church bracket has pure blue). Merged as if it were light it would spoil the picture's edge in
 * every frame that has data there.
 */

/** Codes (of 255) within which a filled area is uniform: JPEG rings a little. */
const SLACK = 4;
/** A pure-coloured area must touch a side of the frame in one run of at least this share of the side. */
const LEAST_RUN = 0.25;

/**
 * One byte a pixel, 0 on an invalid border, 1 elsewhere; undefined where the frame has none.
 *
 * @param others frames of the same scene. What is pure in one and of its own brightness in another is no fill but a thing
 * that is clipped in one channel: a red sign, a blue sky.
 */
export function invalidBorder(frame: Frame, others: readonly Frame[] = []): Uint8Array | undefined {
  const mask = new Uint8Array(frame.width * frame.height).fill(1);
  const strips = maskBlackStrips(frame, mask);
  const colour = pureBorderColour(frame);
  if (colour === undefined) return strips ? mask : undefined;
  const filled = mask.slice();
  floodFromBorder(frame, colour, filled);
  if (others.some((other) => showsLight(other, filled, mask))) return strips ? mask : undefined;
  return filled;
}

/** Share of what may be a fill in which another frame shows well exposed light. */
const SHOWN = 0.5;

/** Whether a frame has pixels that are neither black nor clipped over most of what `filled` leaves out of `mask`. */
function showsLight(frame: Frame, filled: Uint8Array, mask: Uint8Array): boolean {
  const scale = frame.data instanceof Uint16Array ? 257 : 1;
  const [low, high] = [SLACK * 2 * scale, (255 - 2 * SLACK) * scale];
  let [shown, count] = [0, 0];
  for (let p = 0; p < filled.length; p++) {
    if (filled[p] !== 0 || mask[p] === 0) continue;
    count++;
    const brightest = Math.max(frame.data[3 * p], frame.data[3 * p + 1], frame.data[3 * p + 2]);
    if (brightest > low && brightest < high) shown++;
  }
  return count > 0 && shown > SHOWN * count;
}

/**
 * Whole rows and columns of black at a side, if they end at once. A dark scene fades into its black rows; an empty
 * strip beside a picture does not.
 */
function maskBlackStrips(frame: Frame, mask: Uint8Array): boolean {
  const { width, height } = frame;
  const limit = (SLACK - 1) * (frame.data instanceof Uint16Array ? 257 : 1);
  const { data } = frame;
  const blackShare = (horizontal: boolean, line: number): number => {
    const length = horizontal ? width : height;
    let black = 0;
    for (let i = 0; i < length; i++) {
      const p = 3 * (horizontal ? line * width + i : i * width + line);
      if (data[p] <= limit && data[p + 1] <= limit && data[p + 2] <= limit) black++;
    }
    return black / length;
  };
  let found = false;
  for (const horizontal of [true, false]) {
    const lines = horizontal ? height : width;
    for (const fromEnd of [false, true]) {
      const at = (depth: number) => (fromEnd ? lines - 1 - depth : depth);
      let depth = 0;
      while (depth < lines * 0.4 && blackShare(horizontal, at(depth)) > 0.995) depth++;
      if (depth === 0 || depth >= lines * 0.4 || blackShare(horizontal, at(depth)) > 0.5) continue;
      found = true;
      for (let k = 0; k < depth; k++) {
        for (let i = 0; i < (horizontal ? width : height); i++) {
          mask[horizontal ? at(k) * width + i : i * width + at(k)] = 0;
        }
      }
    }
  }
  return found;
}

/** 0 or 1 a channel, packed: red 1, green 2, blue 4; 1 … 6 are the pure colours that are neither black nor white. */
function pureColour(frame: Frame, p: number): number {
  const scale = frame.data instanceof Uint16Array ? 257 : 1;
  let colour = 0;
  for (let c = 0; c < 3; c++) {
    const value = frame.data[3 * p + c];
    if (value >= (255 - SLACK) * scale) colour |= 1 << c;
    else if (value > SLACK * scale) return 0;
  }
  return colour === 7 ? 0 : colour;
}

/** The pure colour of which a side of the frame shows a long run, if there is one. */
function pureBorderColour(frame: Frame): number | undefined {
  const { width, height } = frame;
  const sides: [start: number, step: number, length: number][] = [
    [0, 1, width],
    [(height - 1) * width, 1, width],
    [0, width, height],
    [width - 1, width, height],
  ];
  for (const [start, step, length] of sides) {
    let run = 0;
    let colourOfRun = 0;
    for (let i = 0; i < length; i++) {
      const colour = pureColour(frame, start + i * step);
      run = colour !== 0 && colour === colourOfRun ? run + 1 : colour === 0 ? 0 : 1;
      colourOfRun = colour;
      if (run >= LEAST_RUN * length) return colour;
    }
  }
  return undefined;
}

/** Clears the mask where the colour is connected to the frame's border, and one pixel around, where it was blended. */
function floodFromBorder(frame: Frame, colour: number, mask: Uint8Array): void {
  const { width, height } = frame;
  const seen = new Uint8Array(width * height);
  const queue: number[] = [];
  const visit = (p: number) => {
    if (seen[p] === 0 && pureColour(frame, p) === colour) {
      seen[p] = 1;
      queue.push(p);
    }
  };
  for (let x = 0; x < width; x++) {
    visit(x);
    visit((height - 1) * width + x);
  }
  for (let y = 0; y < height; y++) {
    visit(y * width);
    visit(y * width + width - 1);
  }
  while (queue.length > 0) {
    const p = queue.pop()!;
    const [x, y] = [p % width, Math.floor(p / width)];
    if (x > 0) visit(p - 1);
    if (x < width - 1) visit(p + 1);
    if (y > 0) visit(p - width);
    if (y < height - 1) visit(p + width);
    for (let dy = -1; dy <= 1; dy++) {
      for (let dx = -1; dx <= 1; dx++) {
        if (x + dx >= 0 && x + dx < width && y + dy >= 0 && y + dy < height) mask[p + dy * width + dx] = 0;
      }
    }
  }
}
