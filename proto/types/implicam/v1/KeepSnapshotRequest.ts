// Original file: proto/implicam/v1/reduction.proto

import type { SnapshotPart as _implicam_v1_SnapshotPart, SnapshotPart__Output as _implicam_v1_SnapshotPart__Output } from '../../implicam/v1/SnapshotPart.js';
import type { Long } from '@grpc/proto-loader';

export interface KeepSnapshotRequest {
  'part'?: (_implicam_v1_SnapshotPart | null);
  /**
   * Length of the whole part in bytes: parameters, then first, then second moments, as little-endian floats.
   */
  'total'?: (number | string | Long);
  'data'?: (Buffer | Uint8Array | string);
}

export interface KeepSnapshotRequest__Output {
  'part': (_implicam_v1_SnapshotPart__Output | null);
  /**
   * Length of the whole part in bytes: parameters, then first, then second moments, as little-endian floats.
   */
  'total': (number);
  'data': (Buffer);
}
