// Original file: proto/implicam/v1/training.proto

import type { Long } from '@grpc/proto-loader';

/**
 * A peer cannot be reached, or broke off, or has said nothing for too long.
 */
export interface PeerFailed {
  'session'?: (string);
  'epoch'?: (number | string | Long);
  'peer'?: (string);
  'message'?: (string);
}

/**
 * A peer cannot be reached, or broke off, or has said nothing for too long.
 */
export interface PeerFailed__Output {
  'session': (string);
  'epoch': (number);
  'peer': (string);
  'message': (string);
}
