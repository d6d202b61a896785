// Original file: proto/implicam/v1/training.proto

import type { Long } from '@grpc/proto-loader';

/**
 * What the object store has of the snapshot to restore is not what was written.
 */
export interface Damaged {
  'session'?: (string);
  'epoch'?: (number | string | Long);
  'step'?: (number);
  'message'?: (string);
}

/**
 * What the object store has of the snapshot to restore is not what was written.
 */
export interface Damaged__Output {
  'session': (string);
  'epoch': (number);
  'step': (number);
  'message': (string);
}
