// Original file: proto/implicam/v1/training.proto


export interface CancelTrainingResponse {
}

export interface CancelTrainingResponse__Output {
}
