// Original file: proto/implicam/v1/training.proto

import type { Holder as _implicam_v1_Holder, Holder__Output as _implicam_v1_Holder__Output } from '../../implicam/v1/Holder.js';
import type { Source as _implicam_v1_Source, Source__Output as _implicam_v1_Source__Output } from '../../implicam/v1/Source.js';
import type { Long } from '@grpc/proto-loader';

/**
 * Take these shards of a session: open them at a step, be ready to advance. Replaces whatever the runner held of the
 * session under a lower epoch.
 */
export interface Host {
  'session'?: (string);
  'epoch'?: (number | string | Long);
  /**
   * Shards that this runner is to hold.
   */
  'shards'?: (number)[];
  /**
   * Everybody who takes part, this runner included, in the order of their first shard.
   */
  'placement'?: (_implicam_v1_Holder)[];
  /**
   * The step to start from, and where each of this runner's parts of that snapshot can be had.
   */
  'step'?: (number);
  'sources'?: (_implicam_v1_Source)[];
  /**
   * The peer that keeps copies of this runner's snapshots; empty where there is none.
   */
  'buddy'?: (string);
}

/**
 * Take these shards of a session: open them at a step, be ready to advance. Replaces whatever the runner held of the
 * session under a lower epoch.
 */
export interface Host__Output {
  'session': (string);
  'epoch': (number);
  /**
   * Shards that this runner is to hold.
   */
  'shards': (number)[];
  /**
   * Everybody who takes part, this runner included, in the order of their first shard.
   */
  'placement': (_implicam_v1_Holder__Output)[];
  /**
   * The step to start from, and where each of this runner's parts of that snapshot can be had.
   */
  'step': (number);
  'sources': (_implicam_v1_Source__Output)[];
  /**
   * The peer that keeps copies of this runner's snapshots; empty where there is none.
   */
  'buddy': (string);
}
