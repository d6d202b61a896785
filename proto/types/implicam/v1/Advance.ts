// Original file: proto/implicam/v1/training.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Train up to step `until`, and take a snapshot after each step of `snapshots`. A later order replaces an earlier one; an
 * `until` that is behind stops the training after the step in progress.
 */
export interface Advance {
  'session'?: (string);
  'epoch'?: (number | string | Long);
  'until'?: (number);
  'snapshots'?: (number)[];
}

/**
 * Train up to step `until`, and take a snapshot after each step of `snapshots`. A later order replaces an earlier one; an
 * `until` that is behind stops the training after the step in progress.
 */
export interface Advance__Output {
  'session': (string);
  'epoch': (number);
  'until': (number);
  'snapshots': (number)[];
}
