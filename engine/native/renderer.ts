import { type AddonRenderer, CURVE_FROM, CURVE_SHIFT, CURVE_SIZE } from './addon.js';

/** Renders a baked scene at any focus, aperture and exposure. */
export interface NativeRenderer {
  /**
   * Linear radiance times `gain` through the display curve, [H][W][3]; blocks for some ten milliseconds a megapixel.
   * @param scale κ · aperture in pixels a focus unit; 0: everything in focus
   * @param tone display value of linear light, by channel; null: as it is
   */
  render(focus: number, scale: number, gain: number, tone: DisplayCurve | null): Float32Array;
}

export type DisplayCurve = (channel: number, light: number) => number;

/** A renderer of `width × height` pixels on what the addon holds. */
export function createRenderer(renderer: AddonRenderer, width: number, height: number): NativeRenderer {
  return {
    render(focus, scale, gain, tone) {
      const target = new Float32Array(3 * width * height);
      renderer.render(focus, scale, gain, tone && sampleCurve(tone), target);
      return target;
    },
  };
}

/** A display curve at the floats that the renderer interpolates between. */
function sampleCurve(tone: DisplayCurve): Float32Array {
  const bits = Int32Array.from({ length: CURVE_SIZE }, (_, j) => CURVE_FROM + j * 2 ** CURVE_SHIFT);
  const light = new Float32Array(bits.buffer);
  const curve = new Float32Array(3 * CURVE_SIZE);
  for (let c = 0; c < 3; c++) {
    for (let j = 0; j < CURVE_SIZE; j++) curve[c * CURVE_SIZE + j] = tone(c, light[j]);
  }
  return curve;
}
