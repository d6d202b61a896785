// Original file: proto/implicam/v1/coordination.proto

import type { Long } from '@grpc/proto-loader';

/**
 * This runner's parts of the snapshot are in its memory, and in its buddy's if it has one.
 */
export interface SnapshotTaken {
  'training'?: (string);
  'epoch'?: (number | string | Long);
  'step'?: (number);
  /**
   * How long it took to save and copy them.
   */
  'milliseconds'?: (number | string);
  /**
   * Time that a step's own computation took since the last snapshot, without waiting for peers: the lower quartile, in
   * milliseconds; 0 if no step was done.
   */
  'computeMs'?: (number | string);
}

/**
 * This runner's parts of the snapshot are in its memory, and in its buddy's if it has one.
 */
export interface SnapshotTaken__Output {
  'training': (string);
  'epoch': (number);
  'step': (number);
  /**
   * How long it took to save and copy them.
   */
  'milliseconds': (number);
  /**
   * Time that a step's own computation took since the last snapshot, without waiting for peers: the lower quartile, in
   * milliseconds; 0 if no step was done.
   */
  'computeMs': (number);
}
