// Original file: proto/implicam/v1/scene.proto

import type { Long } from '@grpc/proto-loader';

export interface StoredFile {
  'name'?: (string);
  'key'?: (string);
  'type'?: (string);
  'bytes'?: (number | string | Long);
  'sha256'?: (string);
}

export interface StoredFile__Output {
  'name': (string);
  'key': (string);
  'type': (string);
  'bytes': (number);
  'sha256': (string);
}
