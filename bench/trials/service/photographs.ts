import { createHash } from 'node:crypto';
import { encodeImage } from '../../../imaging/write.js';
import { createPicture } from '../../../model/picture.js';
import { type CaptureOptions, renderCapture } from '../../samples/capture.js';
import type { Photograph } from './uploads.js';

const ISO = 100;

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A generated capture as the files that a camera would have written. */
export async function photograph(options: CaptureOptions): Promise<Photograph[]> {
  const { frames, camera, options: chosen } = renderCapture(options);
  return Promise.all(
    frames.map(async (frame, number) => {
      const picture = createPicture(chosen.width, chosen.height, 3);
      for (let i = 0; i < frame.pixels.length; i++) picture.data[i] = frame.pixels[i] / 255;
      const { fNumber, focusDistance } = frame;
      const exposureTime = camera.scene.baseTime * 2 ** frame.ev;
      const settings = {
        exposureTime,
        fNumber,
        iso: ISO,
        focusDistance,
        focalLength: camera.scene.focalLength,
      };
      const bytes = Buffer.from(await encodeImage('png', picture, { origin: settings }));
      return { number, name: `frame-${number}.png`, bytes, sha256: sha256(bytes) };
    }),
  );
}
