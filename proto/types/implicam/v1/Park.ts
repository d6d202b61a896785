// Original file: proto/implicam/v1/coordination.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Stop training, but keep the snapshots: others fetch them.
 */
export interface Park {
  'training'?: (string);
  'epoch'?: (number | string | Long);
}

/**
 * Stop training, but keep the snapshots: others fetch them.
 */
export interface Park__Output {
  'training': (string);
  'epoch': (number);
}
