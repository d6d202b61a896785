// Original file: proto/implicam/v1/scene.proto

import type { SceneFrame as _implicam_v1_SceneFrame, SceneFrame__Output as _implicam_v1_SceneFrame__Output } from '../../implicam/v1/SceneFrame.js';

export interface FinishRequest {
  'session'?: (string);
  /**
   * Step of the snapshot to take, and the version that the model gets.
   */
  'step'?: (number);
  'version'?: (number);
  'frames'?: (_implicam_v1_SceneFrame)[];
  'loss'?: (number | string);
  'psnr'?: (number | string);
}

export interface FinishRequest__Output {
  'session': (string);
  /**
   * Step of the snapshot to take, and the version that the model gets.
   */
  'step': (number);
  'version': (number);
  'frames': (_implicam_v1_SceneFrame__Output)[];
  'loss': (number);
  'psnr': (number);
}
