// Original file: proto/implicam/v1/session.proto

import type { SessionPhase as _implicam_v1_SessionPhase, SessionPhase__Output as _implicam_v1_SessionPhase__Output } from '../../implicam/v1/SessionPhase.js';

export interface SessionStatus {
  'session'?: (string);
  'phase'?: (_implicam_v1_SessionPhase);
  'reason'?: (string);
  /**
   * Steps that every shard has done, and steps of the whole training.
   */
  'step'?: (number);
  'steps'?: (number);
  /**
   * Total loss, and PSNR in dB against the frames, of the newest reported step.
   */
  'loss'?: (number | string);
  'psnr'?: (number | string);
  /**
   * Steps a second over the last seconds.
   */
  'rate'?: (number | string);
  /**
   * Runners that host shards of this session now.
   */
  'runners'?: (string)[];
  /**
   * How often its shards moved because a runner was lost.
   */
  'recoveries'?: (number);
  /**
   * Newest step whose snapshot is in the object store.
   */
  'durableStep'?: (number);
}

export interface SessionStatus__Output {
  'session': (string);
  'phase': (_implicam_v1_SessionPhase__Output);
  'reason': (string);
  /**
   * Steps that every shard has done, and steps of the whole training.
   */
  'step': (number);
  'steps': (number);
  /**
   * Total loss, and PSNR in dB against the frames, of the newest reported step.
   */
  'loss': (number);
  'psnr': (number);
  /**
   * Steps a second over the last seconds.
   */
  'rate': (number);
  /**
   * Runners that host shards of this session now.
   */
  'runners': (string)[];
  /**
   * How often its shards moved because a runner was lost.
   */
  'recoveries': (number);
  /**
   * Newest step whose snapshot is in the object store.
   */
  'durableStep': (number);
}
