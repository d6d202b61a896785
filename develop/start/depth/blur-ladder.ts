/**
 * One picture blurred by a ladder of circles of confusion, as quantised logarithms. Values between rungs are
 * interpolated.
 */

import type { StartKernels } from '../kernels.js';
import { doubleInt16, halve } from '../pixels/resize.js';
import { circleOfVariance, HALVING_VARIANCE, kernelVariance } from './disk-blur.js';
import type { FocusStack, MixPlanes } from './focus-stack.js';

/** Rungs up to one pixel are this far apart, then each is {@link RATIO} times the last. */
const FIRST_STEP = 1 / 3;
const RATIO = 1.35;
/** Circles above this are blurred at half the size; above twice this, at a quarter, and so on. */
const FULL_SIZE_UP_TO = 4;

export interface BlurLadder {
  readonly count: number;
  /** Warm and cool plane of each rung, in the units of FocusStack.logs. */
  readonly logs: readonly (readonly [Int16Array, Int16Array])[];
}

/** Circle of confusion at a place on the ladder. */
export function circleAt(place: number): number {
  const linear = 1 / FIRST_STEP;
  return place <= linear ? place * FIRST_STEP : RATIO ** (place - linear);
}

/** Place of a circle of confusion on the ladder (not rounded). */
export function rungOf(circle: number): number {
  return circle <= 1 ? circle / FIRST_STEP : 1 / FIRST_STEP + Math.log(circle) / Math.log(RATIO);
}

/** Blurs the picture (linear light, the size of the stack) to every rung up to the one at or above `largest` pixels. */
export function blurLadder(stack: FocusStack, light: MixPlanes, largest: number): BlurLadder {
  const { width, height, floor, kernels } = stack;
  const count = Math.max(2, Math.ceil(rungOf(largest)) + 1);
  const pyramids = light.map((plane) => new Pyramid(plane, width, height, kernels));
  const logs = Array.from({ length: count }, (_, rung): [Int16Array, Int16Array] => [
    pyramids[0].blurredLog(circleAt(rung), floor),
    pyramids[1].blurredLog(circleAt(rung), floor),
  ]);
  return { count, logs };
}

/** A plane at full, half, quarter, … size, made when first needed. */
class Pyramid {
  private readonly levels: { plane: Float32Array; width: number; height: number }[];

  constructor(
    plane: Float32Array,
    width: number,
    height: number,
    private readonly kernels: StartKernels,
  ) {
    this.levels = [{ plane, width, height }];
  }

  private level(l: number): { plane: Float32Array; width: number; height: number } {
    while (this.levels.length <= l) {
      const { plane, width, height } = this.levels[this.levels.length - 1];
      this.levels.push({
        plane: halve(plane, width, height),
        width: (width + 1) >> 1,
        height: (height + 1) >> 1,
      });
    }
    return this.levels[l];
  }

  blurredLog(circle: number, floor: number): Int16Array {
    let l = 0;
    let rest = circle;
    while (rest > FULL_SIZE_UP_TO && Math.min(this.level(l).width, this.level(l).height) >= 16) {
      rest = circleOfVariance((kernelVariance(rest) - HALVING_VARIANCE) / 4);
      l++;
    }
    const { plane, width, height } = this.level(l);
    const { quantisedLog, diskBlur } = this.kernels;
    let logs = quantisedLog(diskBlur(plane, width, height, rest), floor);
    for (let up = l - 1; up >= 0; up--) {
      const from = this.level(up + 1);
      const to = this.level(up);
      logs = doubleInt16(logs, from.width, from.height, to.width, to.height);
    }
    return logs;
  }
}
