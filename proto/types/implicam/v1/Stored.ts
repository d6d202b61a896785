// Original file: proto/implicam/v1/coordination.proto

import type { StoredPiece as _implicam_v1_StoredPiece, StoredPiece__Output as _implicam_v1_StoredPiece__Output } from '../../implicam/v1/StoredPiece.js';
import type { Long } from '@grpc/proto-loader';

export interface Stored {
  'training'?: (string);
  'epoch'?: (number | string | Long);
  'step'?: (number);
  'pieces'?: (_implicam_v1_StoredPiece)[];
}

export interface Stored__Output {
  'training': (string);
  'epoch': (number);
  'step': (number);
  'pieces': (_implicam_v1_StoredPiece__Output)[];
}
