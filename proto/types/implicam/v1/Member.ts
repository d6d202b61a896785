// Original file: proto/implicam/v1/coordination.proto

import type { ShardRange as _implicam_v1_ShardRange, ShardRange__Output as _implicam_v1_ShardRange__Output } from '../../implicam/v1/ShardRange.js';

export interface Member {
  'runner'?: (string);
  'address'?: (string);
  'shards'?: (_implicam_v1_ShardRange | null);
}

export interface Member__Output {
  'runner': (string);
  'address': (string);
  'shards': (_implicam_v1_ShardRange__Output | null);
}
