// Original file: proto/implicam/v1/training.proto

import type { Long } from '@grpc/proto-loader';

/**
 * The session is open at the step asked for, peers are connected, the snapshot is held.
 */
export interface Hosted {
  'session'?: (string);
  'epoch'?: (number | string | Long);
}

/**
 * The session is open at the step asked for, peers are connected, the snapshot is held.
 */
export interface Hosted__Output {
  'session': (string);
  'epoch': (number);
}
