// Original file: proto/implicam/v1/coordination.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Train up to step `until`, and take a snapshot after each step of `snapshots`. A later command replaces an
 * earlier one; an `until` below the present step stops the training after the step in progress.
 */
export interface Advance {
  'training'?: (string);
  'epoch'?: (number | string | Long);
  'until'?: (number);
  'snapshots'?: (number)[];
}

/**
 * Train up to step `until`, and take a snapshot after each step of `snapshots`. A later command replaces an
 * earlier one; an `until` below the present step stops the training after the step in progress.
 */
export interface Advance__Output {
  'training': (string);
  'epoch': (number);
  'until': (number);
  'snapshots': (number)[];
}
