// Original file: proto/implicam/v1/training.proto

import type { ShardRange as _implicam_v1_ShardRange, ShardRange__Output as _implicam_v1_ShardRange__Output } from '../../implicam/v1/ShardRange.js';
import type { Member as _implicam_v1_Member, Member__Output as _implicam_v1_Member__Output } from '../../implicam/v1/Member.js';
import type { Source as _implicam_v1_Source, Source__Output as _implicam_v1_Source__Output } from '../../implicam/v1/Source.js';
import type { Long } from '@grpc/proto-loader';

/**
 * Stop what you do for this session, restore a step from the sources, be ready to advance.
 */
export interface Host {
  'session'?: (string);
  'epoch'?: (number | string | Long);
  /**
   * What this runner is to hold.
   */
  'shards'?: (_implicam_v1_ShardRange | null);
  /**
   * Everybody who takes part, this runner included, in the order of their shards.
   */
  'placement'?: (_implicam_v1_Member)[];
  /**
   * The peer that keeps copies of this runner's snapshots; empty where there is none.
   */
  'buddy'?: (string);
  'buddyAddress'?: (string);
  'step'?: (number);
  'sources'?: (_implicam_v1_Source)[];
  /**
   * The restored snapshot counts as just taken: copy it to the buddy and report it.
   */
  'copy'?: (boolean);
  /**
   * All members are on one machine, each on a device of its own, with the same NCCL: sums of gradients may go from device to
   * device. They agree on it among themselves (`Piece.word`); where one cannot, all exchange bytes.
   */
  'deviceExchange'?: (boolean);
}

/**
 * Stop what you do for this session, restore a step from the sources, be ready to advance.
 */
export interface Host__Output {
  'session': (string);
  'epoch': (number);
  /**
   * What this runner is to hold.
   */
  'shards': (_implicam_v1_ShardRange__Output | null);
  /**
   * Everybody who takes part, this runner included, in the order of their shards.
   */
  'placement': (_implicam_v1_Member__Output)[];
  /**
   * The peer that keeps copies of this runner's snapshots; empty where there is none.
   */
  'buddy': (string);
  'buddyAddress': (string);
  'step': (number);
  'sources': (_implicam_v1_Source__Output)[];
  /**
   * The restored snapshot counts as just taken: copy it to the buddy and report it.
   */
  'copy': (boolean);
  /**
   * All members are on one machine, each on a device of its own, with the same NCCL: sums of gradients may go from device to
   * device. They agree on it among themselves (`Piece.word`); where one cannot, all exchange bytes.
   */
  'deviceExchange': (boolean);
}
