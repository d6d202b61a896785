// Original file: proto/implicam/v1/training.proto

import type { TrainingPhase as _implicam_v1_TrainingPhase, TrainingPhase__Output as _implicam_v1_TrainingPhase__Output } from '../../implicam/v1/TrainingPhase.js';

export interface TrainingStatus {
  'training'?: (string);
  'phase'?: (_implicam_v1_TrainingPhase);
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
   * Runners that host shards of this training now.
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

export interface TrainingStatus__Output {
  'training': (string);
  'phase': (_implicam_v1_TrainingPhase__Output);
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
   * Runners that host shards of this training now.
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
