// Original file: proto/implicam/v1/training.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Stop training, but keep snapshots: others fetch them.
 */
export interface Park {
  'session'?: (string);
  'epoch'?: (number | string | Long);
}

/**
 * Stop training, but keep snapshots: others fetch them.
 */
export interface Park__Output {
  'session': (string);
  'epoch': (number);
}
