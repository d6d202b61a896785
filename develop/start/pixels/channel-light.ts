import type { Picture } from '../../../model/picture.js';
import { fastExp } from './fast-math.js';
import { areaResize } from './resize.js';

/** Linear light of one channel of ln radiance with a gain added, averaged to a size at most as large. */
export function channelLight(
  { data, width, height }: Picture,
  channel: number,
  gain: number,
  toWidth: number,
  toHeight: number,
): Float32Array {
  return areaResize(data, width, height, toWidth, toHeight, {
    stride: 3,
    offset: channel,
    apply: (v) => fastExp(v + gain),
  });
}
