// Original file: proto/implicam/v1/render.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { RenderRequest as _implicam_v1_RenderRequest, RenderRequest__Output as _implicam_v1_RenderRequest__Output } from '../../implicam/v1/RenderRequest.js';
import type { RenderResponse as _implicam_v1_RenderResponse, RenderResponse__Output as _implicam_v1_RenderResponse__Output } from '../../implicam/v1/RenderResponse.js';

/**
 * Served by every runner. Models are read from the object store, evaluated once, and kept ready while memory allows.
 */
export interface RenderServiceClient extends grpc.Client {
  Render(argument: _implicam_v1_RenderRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_RenderResponse__Output>;
  Render(argument: _implicam_v1_RenderRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_RenderResponse__Output>;
  render(argument: _implicam_v1_RenderRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_RenderResponse__Output>;
  render(argument: _implicam_v1_RenderRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_RenderResponse__Output>;
  
}

/**
 * Served by every runner. Models are read from the object store, evaluated once, and kept ready while memory allows.
 */
export interface RenderServiceHandlers extends grpc.UntypedServiceImplementation {
  Render: grpc.handleServerStreamingCall<_implicam_v1_RenderRequest__Output, _implicam_v1_RenderResponse>;
  
}

export interface RenderServiceDefinition extends grpc.ServiceDefinition {
  Render: MethodDefinition<_implicam_v1_RenderRequest, _implicam_v1_RenderResponse, _implicam_v1_RenderRequest__Output, _implicam_v1_RenderResponse__Output>
}
