// Original file: proto/implicam/v1/coordination.proto


export interface Heartbeat {
}

export interface Heartbeat__Output {
}
