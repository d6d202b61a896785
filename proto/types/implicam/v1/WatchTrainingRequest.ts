// Original file: proto/implicam/v1/training.proto


export interface WatchTrainingRequest {
  'training'?: (string);
}

export interface WatchTrainingRequest__Output {
  'training': (string);
}
