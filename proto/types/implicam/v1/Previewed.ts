// Original file: proto/implicam/v1/training.proto

import type { Long } from '@grpc/proto-loader';

/**
 * A picture of what is learned up to a step is in the object store. For people: nothing is decided by it.
 */
export interface Previewed {
  'session'?: (string);
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
 * A picture of what is learned up to a step is in the object store. For people: nothing is decided by it.
 */
export interface Previewed__Output {
  'session': (string);
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
