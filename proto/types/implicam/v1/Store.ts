// Original file: proto/implicam/v1/coordination.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Write this runner's parts of a held snapshot to the object store.
 */
export interface Store {
  'training'?: (string);
  'epoch'?: (number | string | Long);
  'step'?: (number);
}

/**
 * Write this runner's parts of a held snapshot to the object store.
 */
export interface Store__Output {
  'training': (string);
  'epoch': (number);
  'step': (number);
}
