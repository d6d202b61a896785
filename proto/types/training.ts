import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { CancelTrainingRequest as _implicam_v1_CancelTrainingRequest, CancelTrainingRequest__Output as _implicam_v1_CancelTrainingRequest__Output } from './implicam/v1/CancelTrainingRequest.js';
import type { CancelTrainingResponse as _implicam_v1_CancelTrainingResponse, CancelTrainingResponse__Output as _implicam_v1_CancelTrainingResponse__Output } from './implicam/v1/CancelTrainingResponse.js';
import type { SubmitTrainingRequest as _implicam_v1_SubmitTrainingRequest, SubmitTrainingRequest__Output as _implicam_v1_SubmitTrainingRequest__Output } from './implicam/v1/SubmitTrainingRequest.js';
import type { SubmitTrainingResponse as _implicam_v1_SubmitTrainingResponse, SubmitTrainingResponse__Output as _implicam_v1_SubmitTrainingResponse__Output } from './implicam/v1/SubmitTrainingResponse.js';
import type { TrainingServiceClient as _implicam_v1_TrainingServiceClient, TrainingServiceDefinition as _implicam_v1_TrainingServiceDefinition } from './implicam/v1/TrainingService.js';
import type { TrainingStatus as _implicam_v1_TrainingStatus, TrainingStatus__Output as _implicam_v1_TrainingStatus__Output } from './implicam/v1/TrainingStatus.js';
import type { WatchTrainingRequest as _implicam_v1_WatchTrainingRequest, WatchTrainingRequest__Output as _implicam_v1_WatchTrainingRequest__Output } from './implicam/v1/WatchTrainingRequest.js';
import type { WatchTrainingResponse as _implicam_v1_WatchTrainingResponse, WatchTrainingResponse__Output as _implicam_v1_WatchTrainingResponse__Output } from './implicam/v1/WatchTrainingResponse.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  implicam: {
    v1: {
      CancelTrainingRequest: MessageTypeDefinition<_implicam_v1_CancelTrainingRequest, _implicam_v1_CancelTrainingRequest__Output>
      CancelTrainingResponse: MessageTypeDefinition<_implicam_v1_CancelTrainingResponse, _implicam_v1_CancelTrainingResponse__Output>
      SubmitTrainingRequest: MessageTypeDefinition<_implicam_v1_SubmitTrainingRequest, _implicam_v1_SubmitTrainingRequest__Output>
      SubmitTrainingResponse: MessageTypeDefinition<_implicam_v1_SubmitTrainingResponse, _implicam_v1_SubmitTrainingResponse__Output>
      TrainingPhase: EnumTypeDefinition
      /**
       * Served by the coordinator to programs on the same side of the network: the command line and tests. Phones use HTTP.
       */
      TrainingService: SubtypeConstructor<typeof grpc.Client, _implicam_v1_TrainingServiceClient> & { service: _implicam_v1_TrainingServiceDefinition }
      TrainingStatus: MessageTypeDefinition<_implicam_v1_TrainingStatus, _implicam_v1_TrainingStatus__Output>
      WatchTrainingRequest: MessageTypeDefinition<_implicam_v1_WatchTrainingRequest, _implicam_v1_WatchTrainingRequest__Output>
      WatchTrainingResponse: MessageTypeDefinition<_implicam_v1_WatchTrainingResponse, _implicam_v1_WatchTrainingResponse__Output>
    }
  }
}

