// Original file: proto/implicam/v1/training.proto

import type { ShardRange as _implicam_v1_ShardRange, ShardRange__Output as _implicam_v1_ShardRange__Output } from '../../implicam/v1/ShardRange.js';

/**
 * Where the state of some shards can be had. Every source has the parameters that all shards share.
 */
export interface Source {
  'shards'?: (_implicam_v1_ShardRange | null);
  /**
   * Empty: the object store.
   */
  'holder'?: (string);
  'address'?: (string);
}

/**
 * Where the state of some shards can be had. Every source has the parameters that all shards share.
 */
export interface Source__Output {
  'shards': (_implicam_v1_ShardRange__Output | null);
  /**
   * Empty: the object store.
   */
  'holder': (string);
  'address': (string);
}
