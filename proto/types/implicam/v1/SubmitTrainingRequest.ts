// Original file: proto/implicam/v1/training.proto


export interface SubmitTrainingRequest {
  /**
   * Letters, digits, '-' and '_', at most 64.
   */
  'training'?: (string);
}

export interface SubmitTrainingRequest__Output {
  /**
   * Letters, digits, '-' and '_', at most 64.
   */
  'training': (string);
}
