// Original file: proto/implicam/v1/reduction.proto

import type { ShardRange as _implicam_v1_ShardRange, ShardRange__Output as _implicam_v1_ShardRange__Output } from '../../implicam/v1/ShardRange.js';

export interface BakePreviewRequest {
  'training'?: (string);
  'step'?: (number);
  'shards'?: (_implicam_v1_ShardRange | null);
  /**
   * Of the whole small picture, in its pixels; its height is in proportion.
   */
  'width'?: (number);
}

export interface BakePreviewRequest__Output {
  'training': (string);
  'step': (number);
  'shards': (_implicam_v1_ShardRange__Output | null);
  /**
   * Of the whole small picture, in its pixels; its height is in proportion.
   */
  'width': (number);
}
