// Original file: proto/implicam/v1/scene.proto

import type { StoredFile as _implicam_v1_StoredFile, StoredFile__Output as _implicam_v1_StoredFile__Output } from '../../implicam/v1/StoredFile.js';

export interface FinishResponse {
  'model'?: (_implicam_v1_StoredFile | null);
  'parametersSha256'?: (string);
  'outputs'?: (_implicam_v1_StoredFile)[];
  /**
   * Total loss, and PSNR in dB against the frames, of the last step.
   */
  'loss'?: (number | string);
  'psnr'?: (number | string);
}

export interface FinishResponse__Output {
  'model': (_implicam_v1_StoredFile__Output | null);
  'parametersSha256': (string);
  'outputs': (_implicam_v1_StoredFile__Output)[];
  /**
   * Total loss, and PSNR in dB against the frames, of the last step.
   */
  'loss': (number);
  'psnr': (number);
}
