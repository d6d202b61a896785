// Original file: proto/implicam/v1/coordination.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Steps done on this runner; sent a few times a second.
 */
export interface Progressed {
  'training'?: (string);
  'epoch'?: (number | string | Long);
  'step'?: (number);
  /**
   * Total loss, and PSNR in dB against the frames, of that step over all shards.
   */
  'loss'?: (number | string);
  'psnr'?: (number | string);
  /**
   * Over the last seconds; 0 where not known yet.
   */
  'stepsPerSecond'?: (number | string);
}

/**
 * Steps done on this runner; sent a few times a second.
 */
export interface Progressed__Output {
  'training': (string);
  'epoch': (number);
  'step': (number);
  /**
   * Total loss, and PSNR in dB against the frames, of that step over all shards.
   */
  'loss': (number);
  'psnr': (number);
  /**
   * Over the last seconds; 0 where not known yet.
   */
  'stepsPerSecond': (number);
}
