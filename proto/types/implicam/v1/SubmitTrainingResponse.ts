// Original file: proto/implicam/v1/training.proto

import type { TrainingStatus as _implicam_v1_TrainingStatus, TrainingStatus__Output as _implicam_v1_TrainingStatus__Output } from '../../implicam/v1/TrainingStatus.js';

export interface SubmitTrainingResponse {
  'status'?: (_implicam_v1_TrainingStatus | null);
}

export interface SubmitTrainingResponse__Output {
  'status': (_implicam_v1_TrainingStatus__Output | null);
}
