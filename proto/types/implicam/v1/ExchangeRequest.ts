// Original file: proto/implicam/v1/reduction.proto

import type { Piece as _implicam_v1_Piece, Piece__Output as _implicam_v1_Piece__Output } from '../../implicam/v1/Piece.js';

export interface ExchangeRequest {
  'piece'?: (_implicam_v1_Piece | null);
}

export interface ExchangeRequest__Output {
  'piece': (_implicam_v1_Piece__Output | null);
}
