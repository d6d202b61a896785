// Original file: proto/implicam/v1/scene.proto

import type { SceneFrame as _implicam_v1_SceneFrame, SceneFrame__Output as _implicam_v1_SceneFrame__Output } from '../../implicam/v1/SceneFrame.js';

export interface PrepareRequest {
  'training'?: (string);
  'frames'?: (_implicam_v1_SceneFrame)[];
  /**
   * As `implicam develop` takes them.
   */
  'preset'?: (string);
  'quality'?: (string);
  'seed'?: (number);
  /**
   * Not set: what the quality implies.
   */
  'steps'?: (number);
  /**
   * Whether results say where the photographs were taken.
   */
  'gps'?: (boolean);
  '_steps'?: "steps";
}

export interface PrepareRequest__Output {
  'training': (string);
  'frames': (_implicam_v1_SceneFrame__Output)[];
  /**
   * As `implicam develop` takes them.
   */
  'preset': (string);
  'quality': (string);
  'seed': (number);
  /**
   * Not set: what the quality implies.
   */
  'steps'?: (number);
  /**
   * Whether results say where the photographs were taken.
   */
  'gps': (boolean);
  '_steps'?: "steps";
}
