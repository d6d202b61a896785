import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { FinishRequest as _implicam_v1_FinishRequest, FinishRequest__Output as _implicam_v1_FinishRequest__Output } from './implicam/v1/FinishRequest.js';
import type { FinishResponse as _implicam_v1_FinishResponse, FinishResponse__Output as _implicam_v1_FinishResponse__Output } from './implicam/v1/FinishResponse.js';
import type { PrepareRequest as _implicam_v1_PrepareRequest, PrepareRequest__Output as _implicam_v1_PrepareRequest__Output } from './implicam/v1/PrepareRequest.js';
import type { PrepareResponse as _implicam_v1_PrepareResponse, PrepareResponse__Output as _implicam_v1_PrepareResponse__Output } from './implicam/v1/PrepareResponse.js';
import type { SceneFrame as _implicam_v1_SceneFrame, SceneFrame__Output as _implicam_v1_SceneFrame__Output } from './implicam/v1/SceneFrame.js';
import type { SceneServiceClient as _implicam_v1_SceneServiceClient, SceneServiceDefinition as _implicam_v1_SceneServiceDefinition } from './implicam/v1/SceneService.js';
import type { StoredFile as _implicam_v1_StoredFile, StoredFile__Output as _implicam_v1_StoredFile__Output } from './implicam/v1/StoredFile.js';
import type { StoredPicture as _implicam_v1_StoredPicture, StoredPicture__Output as _implicam_v1_StoredPicture__Output } from './implicam/v1/StoredPicture.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  implicam: {
    v1: {
      FinishRequest: MessageTypeDefinition<_implicam_v1_FinishRequest, _implicam_v1_FinishRequest__Output>
      FinishResponse: MessageTypeDefinition<_implicam_v1_FinishResponse, _implicam_v1_FinishResponse__Output>
      PrepareRequest: MessageTypeDefinition<_implicam_v1_PrepareRequest, _implicam_v1_PrepareRequest__Output>
      PrepareResponse: MessageTypeDefinition<_implicam_v1_PrepareResponse, _implicam_v1_PrepareResponse__Output>
      SceneFrame: MessageTypeDefinition<_implicam_v1_SceneFrame, _implicam_v1_SceneFrame__Output>
      /**
       * Served by every runner, beside training and away from its thread. Ending the call ends the work.
       */
      SceneService: SubtypeConstructor<typeof grpc.Client, _implicam_v1_SceneServiceClient> & { service: _implicam_v1_SceneServiceDefinition }
      StoredFile: MessageTypeDefinition<_implicam_v1_StoredFile, _implicam_v1_StoredFile__Output>
      StoredPicture: MessageTypeDefinition<_implicam_v1_StoredPicture, _implicam_v1_StoredPicture__Output>
    }
  }
}

