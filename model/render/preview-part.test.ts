import fc from 'fast-check';
import { expect, test } from 'vitest';
import { resizedTo } from '../../develop/start/pixels/resize.js';
import type { Rect } from '../shards.js';
import { addRow, emptyPart, joinParts, type PreviewPart, previewSize } from './preview-part.js';
import { type BakedScene, composeAllInFocus } from './render.js';

/** A scene of some numbers, with or without a foreground. */
function sceneOf(width: number, height: number, planes: 3 | 7): BakedScene {
  const radiance = Float32Array.from({ length: planes * width * height }, (_, i) =>
    Math.sin(1.7 * i + i * i),
  );
  return { width, height, radiance, defocus: new Float32Array(0) };
}

function partOf(
  scene: BakedScene,
  tiles: readonly Rect[],
  to: { width: number; height: number },
): PreviewPart {
  const part = emptyPart(tiles, scene, to);
  for (const tile of tiles) {
    for (let y = tile.y; y < tile.y + tile.height; y++) addRow(part, scene, tile, y, to);
  }
  return part;
}

test('parts of tiles add up to the small picture of the whole, however it is cut', () => {
  const size = fc.integer({ min: 2, max: 40 });
  fc.assert(
    fc.property(
      size,
      size,
      fc.integer({ min: 1, max: 40 }),
      size,
      size,
      fc.constantFrom(3, 7),
      (...drawn) => {
        const [width, height, widest, cutX, cutY, planes] = drawn;
        const scene = sceneOf(width, height, planes as 3 | 7);
        const to = previewSize(scene, widest);
        const x = Math.min(cutX, width - 1);
        const y = Math.min(cutY, height - 1);
        const tiles = [
          { x: 0, y: 0, width: x, height: y },
          { x, y: 0, width: width - x, height: y },
          { x: 0, y, width: x, height: height - y },
          { x, y, width: width - x, height: height - y },
        ];
        const joined = joinParts(
          [partOf(scene, tiles.slice(0, 1), to), partOf(scene, tiles.slice(1), to)],
          to,
        );
        const whole = resizedTo(composeAllInFocus(scene), Math.min(width, widest));
        expect(joined).toMatchObject({ width: whole.width, height: whole.height });
        const worst = whole.data.reduce((most, v, i) => Math.max(most, Math.abs(v - joined.data[i])), 0);
        expect(worst).toBeLessThan(1e-4);
      },
    ),
  );
});

test('what does not lie in the picture is refused', () => {
  const part = { x: 3, y: 0, width: 2, height: 1, sums: new Float32Array(6) };
  expect(() => joinParts([part], { width: 4, height: 4 })).toThrow(/small picture/);
});
