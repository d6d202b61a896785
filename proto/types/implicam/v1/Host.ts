// Original file: proto/implicam/v1/coordination.proto

import type { ShardRange as _implicam_v1_ShardRange, ShardRange__Output as _implicam_v1_ShardRange__Output } from '../../implicam/v1/ShardRange.js';
import type { Member as _implicam_v1_Member, Member__Output as _implicam_v1_Member__Output } from '../../implicam/v1/Member.js';
import type { Source as _implicam_v1_Source, Source__Output as _implicam_v1_Source__Output } from '../../implicam/v1/Source.js';
import type { Long } from '@grpc/proto-loader';

/**
 * Stop what you do for this training, restore a step from the sources, and be ready to advance.
 */
export interface Host {
  'training'?: (string);
  'epoch'?: (number | string | Long);
  /**
   * The shards that this runner is to host.
   */
  'shards'?: (_implicam_v1_ShardRange | null);
  /**
   * All members, this runner included, in the order of their shards.
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
   * Treat the restored snapshot as if it had just been taken: copy it to the buddy and report `snapshot_taken`.
   */
  'copy'?: (boolean);
  /**
   * All members are on one machine, each on a device of its own, with the same NCCL: sums of gradients may go from device to
   * device. They agree on it among themselves (`Piece.control`); if one of them cannot, all exchange bytes.
   */
  'deviceExchange'?: (boolean);
}

/**
 * Stop what you do for this training, restore a step from the sources, and be ready to advance.
 */
export interface Host__Output {
  'training': (string);
  'epoch': (number);
  /**
   * The shards that this runner is to host.
   */
  'shards': (_implicam_v1_ShardRange__Output | null);
  /**
   * All members, this runner included, in the order of their shards.
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
   * Treat the restored snapshot as if it had just been taken: copy it to the buddy and report `snapshot_taken`.
   */
  'copy': (boolean);
  /**
   * All members are on one machine, each on a device of its own, with the same NCCL: sums of gradients may go from device to
   * device. They agree on it among themselves (`Piece.control`); if one of them cannot, all exchange bytes.
   */
  'deviceExchange': (boolean);
}
