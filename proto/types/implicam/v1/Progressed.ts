// Original file: proto/implicam/v1/training.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Steps done on this runner, a few times a second.
 */
export interface Progressed {
  'session'?: (string);
  'epoch'?: (number | string | Long);
  'step'?: (number);
  'loss'?: (number | string);
  'psnr'?: (number | string);
}

/**
 * Steps done on this runner, a few times a second.
 */
export interface Progressed__Output {
  'session': (string);
  'epoch': (number);
  'step': (number);
  'loss': (number);
  'psnr': (number);
}
