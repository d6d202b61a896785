// Original file: proto/implicam/v1/coordination.proto

import type { Long } from '@grpc/proto-loader';

/**
 * A picture of what was learned up to a step is in the object store. It is for display; no decision depends on it.
 */
export interface Previewed {
  'training'?: (string);
  'epoch'?: (number | string | Long);
  'step'?: (number);
  'key'?: (string);
  /**
   * Media type, and size in pixels.
   */
  'type'?: (string);
  'width'?: (number);
  'height'?: (number);
}

/**
 * A picture of what was learned up to a step is in the object store. It is for display; no decision depends on it.
 */
export interface Previewed__Output {
  'training': (string);
  'epoch': (number);
  'step': (number);
  'key': (string);
  /**
   * Media type, and size in pixels.
   */
  'type': (string);
  'width': (number);
  'height': (number);
}
