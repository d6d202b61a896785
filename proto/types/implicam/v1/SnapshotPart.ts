// Original file: proto/implicam/v1/reduction.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Names a part of a snapshot: parameters that all shards share, or those of one shard's own.
 */
export interface SnapshotPart {
  'training'?: (string);
  'epoch'?: (number | string | Long);
  'step'?: (number);
  /**
   * Not set: the parameters that all shards share.
   */
  'shard'?: (number);
  '_shard'?: "shard";
}

/**
 * Names a part of a snapshot: parameters that all shards share, or those of one shard's own.
 */
export interface SnapshotPart__Output {
  'training': (string);
  'epoch': (number);
  'step': (number);
  /**
   * Not set: the parameters that all shards share.
   */
  'shard'?: (number);
  '_shard'?: "shard";
}
