// Original file: proto/implicam/v1/session.proto


export interface SubmitSessionRequest {
  /**
   * Letters, digits, '-' and '_', at most 64.
   */
  'session'?: (string);
}

export interface SubmitSessionRequest__Output {
  /**
   * Letters, digits, '-' and '_', at most 64.
   */
  'session': (string);
}
