// Original file: proto/implicam/v1/training.proto

import type { Long } from '@grpc/proto-loader';

export interface Hosted {
  'session'?: (string);
  'epoch'?: (number | string | Long);
}

export interface Hosted__Output {
  'session': (string);
  'epoch': (number);
}
