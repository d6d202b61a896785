import { ImplicamError } from '../model/errors.js';

/** What the program takes in. Every limit is checked on a file's header, before anything of its size is allocated. */
export interface ImagingLimits {
  /** Photographs of one capture. */
  readonly maxFiles: number;
  /** Bytes of one file. */
  readonly maxFileBytes: number;
  /** Pixels of one picture. */
  readonly maxPixels: number;
  /** Pixels along one side of a picture. */
  readonly maxSide: number;
  /** The least pixels along one side. */
  readonly minSide: number;
  /** Bytes of all decoded photographs of one capture together. */
  readonly maxCaptureBytes: number;
  /** Time that decoding of one file may take, in seconds. */
  readonly maxDecodeSeconds: number;
}

/** The least pixels along one side of a photograph that is developed: registration and start compare areas of that size. */
export const LEAST_SIDE = 16;

const defaultLimits: ImagingLimits = {
  maxFiles: 512,
  maxFileBytes: 512 * 2 ** 20,
  maxPixels: 200e6,
  maxSide: 65_535,
  minSide: 2,
  maxCaptureBytes: 16 * 2 ** 30,
  maxDecodeSeconds: 300,
};

/** The default limits with some replaced. */
export function limitsWith(overrides: Partial<ImagingLimits> = {}): ImagingLimits {
  return { ...defaultLimits, ...overrides };
}

/**
 * Refuses a picture whose size is out of bounds.
 *
 * @throws ImplicamError `picture-too-small` or `picture-too-large`, naming the file, its size and the limit.
 */
export function requireSize(name: string, width: number, height: number, limits: ImagingLimits): void {
  const size = `${width} × ${height} pixels`;
  if (!(width >= limits.minSide && height >= limits.minSide)) {
    throw new ImplicamError(
      'picture-too-small',
      `${name} is ${size}: at least ${limits.minSide} × ${limits.minSide} are needed`,
      { status: 422 },
    );
  }
  if (width > limits.maxSide || height > limits.maxSide || width * height > limits.maxPixels) {
    throw new ImplicamError(
      'picture-too-large',
      `${name} is ${size}: at most ${limits.maxPixels / 1e6} megapixels and ${limits.maxSide} along a side are taken; scale it down`,
      { status: 413 },
    );
  }
}

/**
 * Refuses a file that is empty or too long.
 *
 * @throws ImplicamError `file-empty` or `file-too-large`.
 */
export function requireFileBytes(name: string, bytes: number, limits: ImagingLimits): void {
  if (bytes === 0) {
    throw new ImplicamError('file-empty', `${name} is empty: copy it again from the camera`, { status: 422 });
  }
  if (bytes > limits.maxFileBytes) {
    const megabytes = (count: number): string => `${Number((count / 2 ** 20).toPrecision(3))} MB`;
    throw new ImplicamError(
      'file-too-large',
      `${name} has ${megabytes(bytes)}: at most ${megabytes(limits.maxFileBytes)} are taken; export it smaller`,
      { status: 413 },
    );
  }
}
