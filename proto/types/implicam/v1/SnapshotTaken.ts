// Original file: proto/implicam/v1/training.proto

import type { Long } from '@grpc/proto-loader';

/**
 * The snapshot of a step is in this runner's memory and in its buddy's.
 */
export interface SnapshotTaken {
  'session'?: (string);
  'epoch'?: (number | string | Long);
  'step'?: (number);
}

/**
 * The snapshot of a step is in this runner's memory and in its buddy's.
 */
export interface SnapshotTaken__Output {
  'session': (string);
  'epoch': (number);
  'step': (number);
}
