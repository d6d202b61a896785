// Original file: proto/implicam/v1/training.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Drop snapshots of steps below `below`.
 */
export interface Discard {
  'session'?: (string);
  'epoch'?: (number | string | Long);
  'below'?: (number);
}

/**
 * Drop snapshots of steps below `below`.
 */
export interface Discard__Output {
  'session': (string);
  'epoch': (number);
  'below': (number);
}
