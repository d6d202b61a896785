// Original file: proto/implicam/v1/training.proto

export const TrainingPhase = {
  TRAINING_PHASE_UNSPECIFIED: 'TRAINING_PHASE_UNSPECIFIED',
  /**
   * No runner hosts it: `reason` says why (none attached, too large for those attached, others go first).
   */
  TRAINING_PHASE_WAITING: 'TRAINING_PHASE_WAITING',
  /**
   * Runners read pixels and parameters.
   */
  TRAINING_PHASE_PLACING: 'TRAINING_PHASE_PLACING',
  TRAINING_PHASE_TRAINING: 'TRAINING_PHASE_TRAINING',
  /**
   * Trained to its last step, the model is in the object store.
   */
  TRAINING_PHASE_FINISHED: 'TRAINING_PHASE_FINISHED',
  /**
   * `reason` says what went wrong and what to do.
   */
  TRAINING_PHASE_FAILED: 'TRAINING_PHASE_FAILED',
  /**
   * Stopped by `CancelTraining`; the newest snapshot is in the object store.
   */
  TRAINING_PHASE_CANCELLED: 'TRAINING_PHASE_CANCELLED',
} as const;

export type TrainingPhase =
  | 'TRAINING_PHASE_UNSPECIFIED'
  | 0
  /**
   * No runner hosts it: `reason` says why (none attached, too large for those attached, others go first).
   */
  | 'TRAINING_PHASE_WAITING'
  | 1
  /**
   * Runners read pixels and parameters.
   */
  | 'TRAINING_PHASE_PLACING'
  | 2
  | 'TRAINING_PHASE_TRAINING'
  | 3
  /**
   * Trained to its last step, the model is in the object store.
   */
  | 'TRAINING_PHASE_FINISHED'
  | 4
  /**
   * `reason` says what went wrong and what to do.
   */
  | 'TRAINING_PHASE_FAILED'
  | 5
  /**
   * Stopped by `CancelTraining`; the newest snapshot is in the object store.
   */
  | 'TRAINING_PHASE_CANCELLED'
  | 6

export type TrainingPhase__Output = typeof TrainingPhase[keyof typeof TrainingPhase]
