import { assert } from '../../model/errors.js';
import type { Rect } from '../../model/shards.js';
import type { ObjectStore } from '../../store/objects.js';
import { readStripes, type Striped } from '../../store/scene/stripes.js';

/** Planes one after the other, each `height` rows of `width` pixels of `channels` numbers. */
export interface PlaneShape {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/**
 * Fills the rectangles of every plane in `target` from an object of the same shape and type; the rest of it is not touched. Of the
 * object only the stripes are read that hold rows of the rectangles.
 *
 * @throws ImplicamError `scene-damaged`, `store-failed`
 */
export async function readPlanes(
  store: ObjectStore,
  key: string,
  striped: Striped,
  target: Uint8Array | Uint16Array | Float32Array,
  { width, height, channels }: PlaneShape,
  rects: readonly Rect[],
): Promise<void> {
  assert(striped.bytes === target.byteLength, `${key} has ${striped.bytes} bytes, not ${target.byteLength}`);
  const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  const pixel = channels * target.BYTES_PER_ELEMENT;
  const row = width * pixel;
  const plane = height * row;
  const wanted = rects.filter((r) => r.width > 0 && r.height > 0);
  const spans = Array.from({ length: bytes.length / plane }, (_, p) =>
    wanted.map(({ y, height }) => ({ from: p * plane + y * row, to: p * plane + (y + height) * row })),
  ).flat();
  for await (const { offset, bytes: band } of readStripes(store, key, striped, spans)) {
    const end = offset + band.length;
    for (let p = Math.floor(offset / plane); p * plane < end; p++) {
      const first = Math.floor((offset - p * plane) / row);
      const last = Math.ceil((end - p * plane) / row);
      for (const rect of wanted) {
        const bottom = Math.min(rect.y + rect.height, last);
        for (let y = Math.max(rect.y, first); y < bottom; y++) {
          const left = p * plane + y * row + rect.x * pixel;
          const from = Math.max(left, offset);
          const to = Math.min(left + rect.width * pixel, end);
          if (from < to) bytes.set(band.subarray(from - offset, to - offset), from);
        }
      }
    }
  }
}
