// Original file: proto/implicam/v1/session.proto

import type { SessionStatus as _implicam_v1_SessionStatus, SessionStatus__Output as _implicam_v1_SessionStatus__Output } from '../../implicam/v1/SessionStatus.js';

export interface SubmitSessionResponse {
  'status'?: (_implicam_v1_SessionStatus | null);
}

export interface SubmitSessionResponse__Output {
  'status': (_implicam_v1_SessionStatus__Output | null);
}
