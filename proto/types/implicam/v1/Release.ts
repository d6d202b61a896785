// Original file: proto/implicam/v1/coordination.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Forget the training and its snapshots.
 */
export interface Release {
  'training'?: (string);
  'epoch'?: (number | string | Long);
}

/**
 * Forget the training and its snapshots.
 */
export interface Release__Output {
  'training': (string);
  'epoch': (number);
}
