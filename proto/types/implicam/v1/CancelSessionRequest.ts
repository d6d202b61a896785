// Original file: proto/implicam/v1/session.proto


export interface CancelSessionRequest {
  'session'?: (string);
}

export interface CancelSessionRequest__Output {
  'session': (string);
}
