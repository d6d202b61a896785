// Original file: proto/implicam/v1/scene.proto

import type { SceneFrame as _implicam_v1_SceneFrame, SceneFrame__Output as _implicam_v1_SceneFrame__Output } from '../../implicam/v1/SceneFrame.js';
import type { StoredPiece as _implicam_v1_StoredPiece, StoredPiece__Output as _implicam_v1_StoredPiece__Output } from '../../implicam/v1/StoredPiece.js';

export interface FinishRequest {
  'session'?: (string);
  /**
   * Step of the snapshot to take, and the version that the model gets.
   */
  'step'?: (number);
  'version'?: (number);
  'frames'?: (_implicam_v1_SceneFrame)[];
  /**
   * The objects of that snapshot.
   */
  'pieces'?: (_implicam_v1_StoredPiece)[];
}

export interface FinishRequest__Output {
  'session': (string);
  /**
   * Step of the snapshot to take, and the version that the model gets.
   */
  'step': (number);
  'version': (number);
  'frames': (_implicam_v1_SceneFrame__Output)[];
  /**
   * The objects of that snapshot.
   */
  'pieces': (_implicam_v1_StoredPiece__Output)[];
}
