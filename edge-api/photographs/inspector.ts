import type { CameraSettings } from '../../model/picture.js';

/** An uploaded photograph to be judged. */
export interface UploadedPhotograph {
  /** File name for messages. */
  readonly name: string;
  readonly bytes: number;
  /** Reads `length` bytes from `offset` on; all of them by default. */
  read(offset?: number, length?: number): Promise<Uint8Array>;
}

export interface InspectedPhotograph {
  readonly format: string;
  /** Upright size in pixels; null where it could not be told. */
  readonly size: { readonly width: number; readonly height: number } | null;
  readonly camera: CameraSettings;
  /** JPEG for browsers, where it was decoded. */
  readonly preview: Uint8Array | null;
  /** Whether it was decoded to its end. */
  readonly checked: boolean;
}

/** Judges photographs at the door. */
export interface PhotographInspector {
  /** @throws ImplicamError as `imaging/` for what is no photograph, damaged, too small or too large */
  inspect(photograph: UploadedPhotograph): Promise<InspectedPhotograph>;
}
