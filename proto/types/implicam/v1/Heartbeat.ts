// Original file: proto/implicam/v1/training.proto


export interface Heartbeat {
}

export interface Heartbeat__Output {
}
