import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { RenderRequest as _implicam_v1_RenderRequest, RenderRequest__Output as _implicam_v1_RenderRequest__Output } from './implicam/v1/RenderRequest.js';
import type { RenderResponse as _implicam_v1_RenderResponse, RenderResponse__Output as _implicam_v1_RenderResponse__Output } from './implicam/v1/RenderResponse.js';
import type { RenderServiceClient as _implicam_v1_RenderServiceClient, RenderServiceDefinition as _implicam_v1_RenderServiceDefinition } from './implicam/v1/RenderService.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  implicam: {
    v1: {
      RenderRequest: MessageTypeDefinition<_implicam_v1_RenderRequest, _implicam_v1_RenderRequest__Output>
      RenderResponse: MessageTypeDefinition<_implicam_v1_RenderResponse, _implicam_v1_RenderResponse__Output>
      /**
       * Served by every runner. Models are read from the object store, evaluated once, and kept ready while memory allows.
       */
      RenderService: SubtypeConstructor<typeof grpc.Client, _implicam_v1_RenderServiceClient> & { service: _implicam_v1_RenderServiceDefinition }
    }
  }
}

