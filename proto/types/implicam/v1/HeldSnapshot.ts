// Original file: proto/implicam/v1/training.proto

import type { ShardRange as _implicam_v1_ShardRange, ShardRange__Output as _implicam_v1_ShardRange__Output } from '../../implicam/v1/ShardRange.js';

export interface HeldSnapshot {
  'session'?: (string);
  'step'?: (number);
  'shards'?: (_implicam_v1_ShardRange | null);
}

export interface HeldSnapshot__Output {
  'session': (string);
  'step': (number);
  'shards': (_implicam_v1_ShardRange__Output | null);
}
