// Original file: proto/implicam/v1/scene.proto

import type { SceneFrame as _implicam_v1_SceneFrame, SceneFrame__Output as _implicam_v1_SceneFrame__Output } from '../../implicam/v1/SceneFrame.js';
import type { StoredPiece as _implicam_v1_StoredPiece, StoredPiece__Output as _implicam_v1_StoredPiece__Output } from '../../implicam/v1/StoredPiece.js';

export interface FinishRequest {
  'training'?: (string);
  /**
   * Step of the snapshot to use, and the version number of the model.
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
  'training': (string);
  /**
   * Step of the snapshot to use, and the version number of the model.
   */
  'step': (number);
  'version': (number);
  'frames': (_implicam_v1_SceneFrame__Output)[];
  /**
   * The objects of that snapshot.
   */
  'pieces': (_implicam_v1_StoredPiece__Output)[];
}
