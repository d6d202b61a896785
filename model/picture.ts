/**
 * Pictures as plain data. Samples are row-major and interleaved: `data[(y * width + x) * channels + c]`.
 * Pixel (x, y) covers [x, x+1) × [y, y+1): its centre is at (x + 0.5, y + 0.5).
 */

/** A floating-point picture: linear light, logarithms, depth, weights, … — its owner says which. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Float32Array;
}

/** What the camera wrote down about one frame; every field may be missing. */
export interface CameraSettings {
  /** Exposure time in seconds. */
  readonly exposureTime?: number;
  /** Relative aperture N of f/N. */
  readonly fNumber?: number;
  /** ISO speed. */
  readonly iso?: number;
  /** Exposure compensation in stops: what a bracket was set to, where the settings themselves were not kept. */
  readonly exposureBias?: number;
  /** Focal length in millimetres. */
  readonly focalLength?: number;
  /** Distance of the plane in focus, in metres. */
  readonly focusDistance?: number;
  /** When the frame was taken, in milliseconds since the epoch. */
  readonly time?: number;
  /** Camera maker and model, for messages. */
  readonly camera?: string;
}

/** A place on the earth (WGS 84), in degrees, north and east positive; metres above the sea. */
export interface Place {
  readonly latitude: number;
  readonly longitude: number;
  readonly altitude?: number;
}

/** What a photograph's file says of its making that nothing is computed from; every field may be missing. */
export interface Origin {
  readonly make?: string;
  readonly model?: string;
  readonly lensMake?: string;
  readonly lens?: string;
  /** How far the camera's clock was ahead of UTC, in minutes, where it wrote that down. */
  readonly zone?: number;
  readonly place?: Place;
}

/** What the file of a result says of its making. */
export interface PictureOrigin extends Origin, Omit<CameraSettings, 'exposureBias'> {
  /** Program and version that made it. */
  readonly software?: string;
}

/** One photograph: display-encoded RGB as the camera wrote it, upright, in sRGB primaries. */
export interface Frame {
  /** File name, for messages and reports. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** Interleaved RGB; full scale is 255 or 65535. */
  readonly data: Uint8Array | Uint16Array;
  /** One byte a pixel, 0 where the file is transparent: nothing was measured there. Absent where all of it is opaque. */
  readonly mask?: Uint8Array;
  readonly camera: CameraSettings;
  readonly origin?: Origin;
}

/** A zero-filled picture. */
export function createPicture(width: number, height: number, channels: number): Picture {
  return { width, height, channels, data: new Float32Array(width * height * channels) };
}

/** Full scale of a frame's samples: 255 or 65535. */
export function fullScale(frame: Pick<Frame, 'data'>): number {
  return frame.data instanceof Uint16Array ? 65535 : 255;
}

/**
 * Exposure of a frame in stops, log2(t · ISO / 100 / N²), up to a constant common to all frames of one camera;
 * `undefined` when the exposure time is not known. (APEX: EV = Av − Tv − Sv; ours grows with light gathered.)
 */
export function exposureValue(camera: CameraSettings): number | undefined {
  if (camera.exposureTime === undefined || !(camera.exposureTime > 0)) return undefined;
  const iso = camera.iso ?? 100;
  const n = camera.fNumber ?? 1;
  return Math.log2((camera.exposureTime * iso) / 100 / (n * n));
}

/** Rec. 709 luminance of three channels, one channel. */
export function luminance(rgb: Picture): Picture {
  const out = createPicture(rgb.width, rgb.height, 1);
  const { data } = rgb;
  for (let p = 0, i = 0; p < out.data.length; p++, i += 3) {
    out.data[p] = 0.2126 * data[i] + 0.7152 * data[i + 1] + 0.0722 * data[i + 2];
  }
  return out;
}
