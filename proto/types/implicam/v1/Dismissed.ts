// Original file: proto/implicam/v1/training.proto


export interface Dismissed {
}

export interface Dismissed__Output {
}
