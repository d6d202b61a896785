// Original file: proto/implicam/v1/coordination.proto

import type { Long } from '@grpc/proto-loader';

/**
 * One object of a stored snapshot. Shard 0 has one more: the parameters that all shards share.
 */
export interface StoredPiece {
  'shard'?: (number);
  'key'?: (string);
  'sha256'?: (string);
  'bytes'?: (number | string | Long);
}

/**
 * One object of a stored snapshot. Shard 0 has one more: the parameters that all shards share.
 */
export interface StoredPiece__Output {
  'shard': (number);
  'key': (string);
  'sha256': (string);
  'bytes': (number);
}
