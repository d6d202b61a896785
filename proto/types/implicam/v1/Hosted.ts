// Original file: proto/implicam/v1/coordination.proto

import type { Long } from '@grpc/proto-loader';

/**
 * The shards are open at the step of `host`, peers are connected, and the snapshot is held.
 */
export interface Hosted {
  'training'?: (string);
  'epoch'?: (number | string | Long);
}

/**
 * The shards are open at the step of `host`, peers are connected, and the snapshot is held.
 */
export interface Hosted__Output {
  'training': (string);
  'epoch': (number);
}
