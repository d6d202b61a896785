// Original file: proto/implicam/v1/session.proto


export interface WatchSessionRequest {
  'session'?: (string);
}

export interface WatchSessionRequest__Output {
  'session': (string);
}
