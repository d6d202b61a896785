import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { CancelSessionRequest as _implicam_v1_CancelSessionRequest, CancelSessionRequest__Output as _implicam_v1_CancelSessionRequest__Output } from './implicam/v1/CancelSessionRequest.js';
import type { CancelSessionResponse as _implicam_v1_CancelSessionResponse, CancelSessionResponse__Output as _implicam_v1_CancelSessionResponse__Output } from './implicam/v1/CancelSessionResponse.js';
import type { SessionServiceClient as _implicam_v1_SessionServiceClient, SessionServiceDefinition as _implicam_v1_SessionServiceDefinition } from './implicam/v1/SessionService.js';
import type { SessionStatus as _implicam_v1_SessionStatus, SessionStatus__Output as _implicam_v1_SessionStatus__Output } from './implicam/v1/SessionStatus.js';
import type { SubmitSessionRequest as _implicam_v1_SubmitSessionRequest, SubmitSessionRequest__Output as _implicam_v1_SubmitSessionRequest__Output } from './implicam/v1/SubmitSessionRequest.js';
import type { SubmitSessionResponse as _implicam_v1_SubmitSessionResponse, SubmitSessionResponse__Output as _implicam_v1_SubmitSessionResponse__Output } from './implicam/v1/SubmitSessionResponse.js';
import type { WatchSessionRequest as _implicam_v1_WatchSessionRequest, WatchSessionRequest__Output as _implicam_v1_WatchSessionRequest__Output } from './implicam/v1/WatchSessionRequest.js';
import type { WatchSessionResponse as _implicam_v1_WatchSessionResponse, WatchSessionResponse__Output as _implicam_v1_WatchSessionResponse__Output } from './implicam/v1/WatchSessionResponse.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  implicam: {
    v1: {
      CancelSessionRequest: MessageTypeDefinition<_implicam_v1_CancelSessionRequest, _implicam_v1_CancelSessionRequest__Output>
      CancelSessionResponse: MessageTypeDefinition<_implicam_v1_CancelSessionResponse, _implicam_v1_CancelSessionResponse__Output>
      SessionPhase: EnumTypeDefinition
      /**
       * Served by the coordinator to programs on the same side of the network: the command line and tests. Phones use HTTP.
       */
      SessionService: SubtypeConstructor<typeof grpc.Client, _implicam_v1_SessionServiceClient> & { service: _implicam_v1_SessionServiceDefinition }
      SessionStatus: MessageTypeDefinition<_implicam_v1_SessionStatus, _implicam_v1_SessionStatus__Output>
      SubmitSessionRequest: MessageTypeDefinition<_implicam_v1_SubmitSessionRequest, _implicam_v1_SubmitSessionRequest__Output>
      SubmitSessionResponse: MessageTypeDefinition<_implicam_v1_SubmitSessionResponse, _implicam_v1_SubmitSessionResponse__Output>
      WatchSessionRequest: MessageTypeDefinition<_implicam_v1_WatchSessionRequest, _implicam_v1_WatchSessionRequest__Output>
      WatchSessionResponse: MessageTypeDefinition<_implicam_v1_WatchSessionResponse, _implicam_v1_WatchSessionResponse__Output>
    }
  }
}

