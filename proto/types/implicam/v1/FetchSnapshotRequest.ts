// Original file: proto/implicam/v1/reduction.proto

import type { SnapshotPart as _implicam_v1_SnapshotPart, SnapshotPart__Output as _implicam_v1_SnapshotPart__Output } from '../../implicam/v1/SnapshotPart.js';

export interface FetchSnapshotRequest {
  'part'?: (_implicam_v1_SnapshotPart | null);
}

export interface FetchSnapshotRequest__Output {
  'part': (_implicam_v1_SnapshotPart__Output | null);
}
