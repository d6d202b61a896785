// Original file: proto/implicam/v1/reduction.proto

import type { Long } from '@grpc/proto-loader';

export interface FetchSnapshotResponse {
  'total'?: (number | string | Long);
  'data'?: (Buffer | Uint8Array | string);
}

export interface FetchSnapshotResponse__Output {
  'total': (number);
  'data': (Buffer);
}
