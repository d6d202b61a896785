// Original file: proto/implicam/v1/training.proto


export interface CancelTrainingRequest {
  'training'?: (string);
}

export interface CancelTrainingRequest__Output {
  'training': (string);
}
