/**
 * The disk over which a lens spreads a pixel's light: k(t, ρ) = clamp(ρ + ½ − t, 0, 1) / (π(ρ² + 1/12)), t being the
 * distance in pixels, with ρ² = ¼ + c⁴/(c² + ⅔) for a circle of confusion of radius c.
 *
 * A lens blurs a picture whose pixels have gathered their light already: its disk has the variance c²/4 along an axis,
 * also where c is less than a pixel, and nothing is left of it at c = 0. The kernel itself has about ρ²/4 + 0.1 where it
 * is wide, and two thirds make up for that. Against disks applied to a picture of eight times the resolution, this is
 * within 2 dB of the best ρ for every c from ½ to 6 pixels; √(c² + ¼) is 2.5 to 9 dB off: at half a pixel it has 3.6 times
 * the variance, and a picture learned through it is sharpened too much.
 */
export const PIXEL_SPREAD = 0.25;
export const PIXEL_SHARE = 2 / 3;

/** ρ of a circle of confusion of radius `circle`, in pixels. */
export function kernelRadius(circle: number): number {
  const square = circle * circle;
  return Math.sqrt(PIXEL_SPREAD + (square * square) / (square + PIXEL_SHARE));
}
