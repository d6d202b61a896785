// Original file: proto/implicam/v1/training.proto

import type { Long } from '@grpc/proto-loader';

/**
 * One object of a stored snapshot.
 */
export interface StoredPiece {
  'key'?: (string);
  'sha256'?: (string);
  'bytes'?: (number | string | Long);
}

/**
 * One object of a stored snapshot.
 */
export interface StoredPiece__Output {
  'key': (string);
  'sha256': (string);
  'bytes': (number);
}
