// Original file: proto/implicam/v1/coordination.proto

import type { Long } from '@grpc/proto-loader';

export interface StoreFailed {
  'training'?: (string);
  'epoch'?: (number | string | Long);
  'step'?: (number);
  'message'?: (string);
}

export interface StoreFailed__Output {
  'training': (string);
  'epoch': (number);
  'step': (number);
  'message': (string);
}
