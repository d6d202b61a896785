// Original file: proto/implicam/v1/training.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Write this runner's parts of a held snapshot to the object store.
 */
export interface Store {
  'session'?: (string);
  'epoch'?: (number | string | Long);
  'step'?: (number);
}

/**
 * Write this runner's parts of a held snapshot to the object store.
 */
export interface Store__Output {
  'session': (string);
  'epoch': (number);
  'step': (number);
}
