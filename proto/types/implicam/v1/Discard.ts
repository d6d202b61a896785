// Original file: proto/implicam/v1/coordination.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Drop snapshots of steps below `below`.
 */
export interface Discard {
  'training'?: (string);
  'epoch'?: (number | string | Long);
  'below'?: (number);
}

/**
 * Drop snapshots of steps below `below`.
 */
export interface Discard__Output {
  'training': (string);
  'epoch': (number);
  'below': (number);
}
