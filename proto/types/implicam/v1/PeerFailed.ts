// Original file: proto/implicam/v1/coordination.proto

import type { Long } from '@grpc/proto-loader';

/**
 * A peer cannot be reached, closed the connection, or sent nothing for too long.
 */
export interface PeerFailed {
  'training'?: (string);
  'epoch'?: (number | string | Long);
  'peer'?: (string);
  'message'?: (string);
}

/**
 * A peer cannot be reached, closed the connection, or sent nothing for too long.
 */
export interface PeerFailed__Output {
  'training': (string);
  'epoch': (number);
  'peer': (string);
  'message': (string);
}
