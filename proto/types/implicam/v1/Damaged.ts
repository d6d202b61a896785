// Original file: proto/implicam/v1/coordination.proto

import type { Long } from '@grpc/proto-loader';

/**
 * A stored piece of the snapshot to restore is missing or is not what was written.
 */
export interface Damaged {
  'training'?: (string);
  'epoch'?: (number | string | Long);
  'step'?: (number);
  'message'?: (string);
}

/**
 * A stored piece of the snapshot to restore is missing or is not what was written.
 */
export interface Damaged__Output {
  'training': (string);
  'epoch': (number);
  'step': (number);
  'message': (string);
}
