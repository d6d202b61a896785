// Original file: proto/implicam/v1/coordination.proto

import type { ShardRange as _implicam_v1_ShardRange, ShardRange__Output as _implicam_v1_ShardRange__Output } from '../../implicam/v1/ShardRange.js';
import type { StoredPiece as _implicam_v1_StoredPiece, StoredPiece__Output as _implicam_v1_StoredPiece__Output } from '../../implicam/v1/StoredPiece.js';

/**
 * Where to restore some shards from. Every source also has the parameters that all shards share.
 */
export interface Source {
  'shards'?: (_implicam_v1_ShardRange | null);
  /**
   * Empty: the object store.
   */
  'holder'?: (string);
  'address'?: (string);
  /**
   * What to read from the object store: the pieces of these shards, and those of shard 0 for what all share. A piece whose
   * size or checksum differs from what is given here is reported as `damaged`.
   */
  'pieces'?: (_implicam_v1_StoredPiece)[];
}

/**
 * Where to restore some shards from. Every source also has the parameters that all shards share.
 */
export interface Source__Output {
  'shards': (_implicam_v1_ShardRange__Output | null);
  /**
   * Empty: the object store.
   */
  'holder': (string);
  'address': (string);
  /**
   * What to read from the object store: the pieces of these shards, and those of shard 0 for what all share. A piece whose
   * size or checksum differs from what is given here is reported as `damaged`.
   */
  'pieces': (_implicam_v1_StoredPiece__Output)[];
}
