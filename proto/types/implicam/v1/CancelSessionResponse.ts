// Original file: proto/implicam/v1/session.proto


export interface CancelSessionResponse {
}

export interface CancelSessionResponse__Output {
}
