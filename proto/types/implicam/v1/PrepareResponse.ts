// Original file: proto/implicam/v1/scene.proto

import type { StoredPicture as _implicam_v1_StoredPicture, StoredPicture__Output as _implicam_v1_StoredPicture__Output } from '../../implicam/v1/StoredPicture.js';

export interface PrepareResponse {
  /**
   * "decode", "register", "start".
   */
  'phase'?: (string);
  /**
   * A decision and its reason, as a sentence.
   */
  'note'?: (string);
  /**
   * The classical all-in-focus picture.
   */
  'preview'?: (_implicam_v1_StoredPicture | null);
  'event'?: "phase"|"note"|"preview";
}

export interface PrepareResponse__Output {
  /**
   * "decode", "register", "start".
   */
  'phase'?: (string);
  /**
   * A decision and its reason, as a sentence.
   */
  'note'?: (string);
  /**
   * The classical all-in-focus picture.
   */
  'preview'?: (_implicam_v1_StoredPicture__Output | null);
  'event'?: "phase"|"note"|"preview";
}
