// Original file: proto/implicam/v1/session.proto

export const SessionPhase = {
  SESSION_PHASE_UNSPECIFIED: 'SESSION_PHASE_UNSPECIFIED',
  /**
   * No runner has it: `reason` says why (none there, too large for those there, others first).
   */
  SESSION_PHASE_WAITING: 'SESSION_PHASE_WAITING',
  /**
   * Runners read pixels and parameters.
   */
  SESSION_PHASE_PLACING: 'SESSION_PHASE_PLACING',
  SESSION_PHASE_TRAINING: 'SESSION_PHASE_TRAINING',
  /**
   * Trained to its last step, the model is in the object store.
   */
  SESSION_PHASE_FINISHED: 'SESSION_PHASE_FINISHED',
  /**
   * `reason` says what was wrong and what to do.
   */
  SESSION_PHASE_FAILED: 'SESSION_PHASE_FAILED',
  /**
   * Stopped on demand; the newest snapshot is in the object store.
   */
  SESSION_PHASE_CANCELLED: 'SESSION_PHASE_CANCELLED',
} as const;

export type SessionPhase =
  | 'SESSION_PHASE_UNSPECIFIED'
  | 0
  /**
   * No runner has it: `reason` says why (none there, too large for those there, others first).
   */
  | 'SESSION_PHASE_WAITING'
  | 1
  /**
   * Runners read pixels and parameters.
   */
  | 'SESSION_PHASE_PLACING'
  | 2
  | 'SESSION_PHASE_TRAINING'
  | 3
  /**
   * Trained to its last step, the model is in the object store.
   */
  | 'SESSION_PHASE_FINISHED'
  | 4
  /**
   * `reason` says what was wrong and what to do.
   */
  | 'SESSION_PHASE_FAILED'
  | 5
  /**
   * Stopped on demand; the newest snapshot is in the object store.
   */
  | 'SESSION_PHASE_CANCELLED'
  | 6

export type SessionPhase__Output = typeof SessionPhase[keyof typeof SessionPhase]
