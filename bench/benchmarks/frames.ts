import type { Frame } from '../../model/picture.js';
import type { Capture } from '../samples/capture.js';

/** The photographs of a sample capture as if read from files with EXIF. */
export function framesOf({ options: { width, height }, frames, camera }: Capture): Frame[] {
  return frames.map((f) => ({
    name: `focus${f.focusIndex + 1}-exposure${f.exposureIndex + 1}.png`,
    width,
    height,
    data: f.pixels,
    camera: {
      exposureTime: f.exposureTime,
      fNumber: f.fNumber,
      iso: 100,
      focalLength: camera.lens.focalLength,
      focusDistance: f.focusDistance,
    },
  }));
}
