// Original file: proto/implicam/v1/training.proto

import type { Long } from '@grpc/proto-loader';

/**
 * This runner's parts of the snapshot are in its memory, and in its buddy's if it has one.
 */
export interface SnapshotTaken {
  'session'?: (string);
  'epoch'?: (number | string | Long);
  'step'?: (number);
  /**
   * How long it took to save them and to copy them.
   */
  'milliseconds'?: (number | string);
  /**
   * What a step's own computation took here since the last snapshot, without waiting for peers: the lower quartile, in
   * milliseconds; 0 where no step was done.
   */
  'computeMs'?: (number | string);
}

/**
 * This runner's parts of the snapshot are in its memory, and in its buddy's if it has one.
 */
export interface SnapshotTaken__Output {
  'session': (string);
  'epoch': (number);
  'step': (number);
  /**
   * How long it took to save them and to copy them.
   */
  'milliseconds': (number);
  /**
   * What a step's own computation took here since the last snapshot, without waiting for peers: the lower quartile, in
   * milliseconds; 0 where no step was done.
   */
  'computeMs': (number);
}
