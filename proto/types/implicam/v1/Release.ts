// Original file: proto/implicam/v1/training.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Forget the session. Snapshots of it are dropped too.
 */
export interface Release {
  'session'?: (string);
  'epoch'?: (number | string | Long);
}

/**
 * Forget the session. Snapshots of it are dropped too.
 */
export interface Release__Output {
  'session': (string);
  'epoch': (number);
}
