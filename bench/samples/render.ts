import { createPicture, type Picture } from '../../model/picture.js';
import type { Focus, Lens } from './lens.js';
import { type Homography, IDENTITY, invert, project, type View } from './motion.js';
import { PAINT_VALUES, pixelSize, type Scene, type Surface } from './scene.js';
import { DiskSpread, SPREAD_CHANNELS } from './spread.js';

/** What a pinhole and a lens see of a scene, all in linear light. */
export interface Rendering {
  /** Everything in focus, 3 channels. */
  readonly sharp: Picture;
  /** Inverse depth in 1/m of the nearest surface that covers at least half of the pixel. */
  readonly inverseDepth: Picture;
  /** One picture per focus: the light on the sensor. */
  readonly defocused: readonly Picture[];
}

/** Samples along each side of a pixel. Edges and texture are antialiased analytically besides: 3 × 3 shows nothing more. */
const SAMPLES = 2;

/**
 * Paints a scene back to front. Every surface is sampled several times a pixel (a box the size of a pixel, so that
 * the sharp picture is band-limited), spread by its circle of confusion for each focus, and laid over what is behind.
 * A point's light is thus spread by its own depth; only the choice which of the rays through one lens are blocked is
 * taken as independent from where they would have gone, as layered renderers do.
 */
export function renderScene(
  scene: Scene,
  lens: Lens,
  foci: readonly Focus[],
  width: number,
  height: number,
  view: View,
): Rendering {
  const sharp = createPicture(width, height, 3);
  const inverseDepth = createPicture(width, height, 1);
  const defocused = foci.map(() => createPicture(width, height, 3));
  const reach = Math.ceil(lens.largestRadius) + 2;
  for (const surface of scene.surfaces) {
    const painter = new SurfacePainter(surface, scene.gain, width, height, view, reach);
    const { left, right, top, bottom } = painter;
    if (left >= right || top >= bottom) continue;
    const spreads = foci.map(() => new DiskSpread(lens.largestRadius, left, right, surface.continuous));
    for (let y = top; y < bottom; y++) {
      painter.paintRow(y);
      if (y >= 0 && y < height) layOver(painter, y, sharp, inverseDepth);
      for (let f = 0; f < foci.length; f++) {
        const spread = spreads[f];
        spreadRow(painter, y, foci[f], spread, surface.continuous === true);
        finishRow(spread, y - spread.reach, defocused[f]);
      }
    }
    for (let f = 0; f < foci.length; f++) {
      const spread = spreads[f];
      for (let y = bottom - spread.reach; y < bottom + spread.reach; y++) finishRow(spread, y, defocused[f]);
    }
  }
  return { sharp, inverseDepth, defocused };
}

function finishRow(spread: DiskSpread, y: number, picture: Picture): void {
  if (y >= 0 && y < picture.height) spread.finish(y, picture.data, y * picture.width * 3, picture.width);
  else spread.drop(y);
}

function spreadRow(
  painter: SurfacePainter,
  y: number,
  focus: Focus,
  spread: DiskSpread,
  withEmpty: boolean,
): void {
  const { values, depths, left, right } = painter;
  const inFocus = 1 / focus.distance;
  for (let x = left, i = 0; x < right; x++, i++) {
    if (!withEmpty && values[i * SPREAD_CHANNELS + 3] <= 0) continue;
    const radius = Math.abs(focus.gain * (depths[i] - inFocus));
    spread.add(x, y, radius, values, i * SPREAD_CHANNELS);
  }
}

function layOver(painter: SurfacePainter, y: number, sharp: Picture, inverseDepth: Picture): void {
  const { values, depths, left } = painter;
  const from = Math.max(left, 0);
  const to = Math.min(painter.right, sharp.width);
  for (let x = from; x < to; x++) {
    const i = (x - left) * SPREAD_CHANNELS;
    const alpha = values[i + 3];
    if (alpha <= 0) continue;
    const p = y * sharp.width + x;
    for (let c = 0; c < 3; c++) {
      sharp.data[3 * p + c] = values[i + c] + (1 - alpha) * sharp.data[3 * p + c];
    }
    if (alpha >= 0.5) inverseDepth.data[p] = depths[x - left];
  }
}

/** Samples one surface, row by row, over the part of it that the picture can see. */
class SurfacePainter {
  /** Pixels that the surface may cover, within reach of the picture; `right` and `bottom` are one after the last. */
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  /** The row painted last: premultiplied R, G, B and coverage, SPREAD_CHANNELS a pixel from `left`. */
  readonly values: Float64Array;
  /** Inverse depth of the row's pixels. */
  readonly depths: Float64Array;
  private readonly surface: Surface;
  private readonly gain: number;
  private readonly pixel: number;
  private readonly centre: readonly [number, number];
  private readonly homography: Homography;
  private readonly shift: readonly [number, number];
  private readonly at = new Float64Array(2);
  private readonly paint = new Float64Array(PAINT_VALUES);

  constructor(surface: Surface, gain: number, width: number, height: number, view: View, reach: number) {
    this.surface = surface;
    this.gain = gain;
    this.pixel = pixelSize(width, height);
    this.centre = [width / 2, height / 2];
    this.homography = view.homography;
    this.shift = surface.walks ? view.walk : surface.moves ? view.shift : [0, 0];
    const box = this.pixelBounds();
    // A continuous surface is compared with an even one, which goes on around it.
    const margin = surface.continuous ? 2 * reach : 1;
    this.left = Math.max(Math.floor(box.left) - margin, -2 * reach);
    this.right = Math.min(Math.ceil(box.right) + margin, width + 2 * reach);
    this.top = Math.max(Math.floor(box.top) - margin, -2 * reach);
    this.bottom = Math.min(Math.ceil(box.bottom) + margin, height + 2 * reach);
    const columns = Math.max(this.right - this.left, 0);
    this.values = new Float64Array(columns * SPREAD_CHANNELS);
    this.depths = new Float64Array(columns);
  }

  private pixelBounds() {
    const { bounds } = this.surface;
    const toFrame = invert(this.homography);
    const box = { left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
    for (const x of [bounds.left, bounds.right]) {
      for (const y of [bounds.top, bounds.bottom]) {
        const px = (x + this.shift[0]) / this.pixel + this.centre[0];
        const py = (y + this.shift[1]) / this.pixel + this.centre[1];
        project(toFrame, px, py, this.at);
        box.left = Math.min(box.left, this.at[0]);
        box.right = Math.max(box.right, this.at[0]);
        box.top = Math.min(box.top, this.at[1]);
        box.bottom = Math.max(box.bottom, this.at[1]);
      }
    }
    return box;
  }

  /** Paints pixel row `y` into `values` and `depths`. */
  paintRow(y: number): void {
    const n = SAMPLES;
    const { values, depths, paint, gain } = this;
    const norm = 1 / (n * n);
    for (let x = this.left, i = 0; x < this.right; x++, i++) {
      let r = 0;
      let g = 0;
      let b = 0;
      let a = 0;
      let depth = 0;
      for (let s = 0; s < n * n; s++) {
        this.sample(x + ((s % n) + 0.5) / n, y + (Math.floor(s / n) + 0.5) / n);
        const alpha = paint[3];
        r += alpha * paint[0];
        g += alpha * paint[1];
        b += alpha * paint[2];
        a += alpha;
        // The tiny constant takes the depth of the empty part where nothing is covered.
        depth += (alpha + 1e-9) * paint[4];
      }
      const o = i * SPREAD_CHANNELS;
      values[o] = r * norm * gain;
      values[o + 1] = g * norm * gain;
      values[o + 2] = b * norm * gain;
      values[o + 3] = a * norm;
      depths[i] = depth / (a + n * n * 1e-9);
    }
  }

  private sample(px: number, py: number): void {
    let x = px;
    let y = py;
    if (this.homography !== IDENTITY) {
      project(this.homography, px, py, this.at);
      x = this.at[0];
      y = this.at[1];
    }
    this.surface.paint(
      (x - this.centre[0]) * this.pixel - this.shift[0],
      (y - this.centre[1]) * this.pixel - this.shift[1],
      this.paint,
    );
  }
}
