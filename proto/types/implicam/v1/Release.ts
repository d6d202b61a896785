// Original file: proto/implicam/v1/training.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Forget the session and its snapshots.
 */
export interface Release {
  'session'?: (string);
  'epoch'?: (number | string | Long);
}

/**
 * Forget the session and its snapshots.
 */
export interface Release__Output {
  'session': (string);
  'epoch': (number);
}
