// Original file: proto/implicam/v1/training.proto

import type { Long } from '@grpc/proto-loader';

export interface StoreFailed {
  'session'?: (string);
  'epoch'?: (number | string | Long);
  'step'?: (number);
  'message'?: (string);
}

export interface StoreFailed__Output {
  'session': (string);
  'epoch': (number);
  'step': (number);
  'message': (string);
}
