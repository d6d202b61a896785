// Original file: proto/implicam/v1/coordination.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AttachRequest as _implicam_v1_AttachRequest, AttachRequest__Output as _implicam_v1_AttachRequest__Output } from '../../implicam/v1/AttachRequest.js';
import type { AttachResponse as _implicam_v1_AttachResponse, AttachResponse__Output as _implicam_v1_AttachResponse__Output } from '../../implicam/v1/AttachResponse.js';

/**
 * Served by the coordinator. A runner is attached as long as its stream lives.
 */
export interface CoordinationServiceClient extends grpc.Client {
  /**
   * One long-lived stream for each runner. The first report is `hello`, the first command is `welcome`. A side that receives
   * nothing for `Welcome.silence_ms` ends the stream; the runner then keeps its snapshots and connects again.
   */
  Attach(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_implicam_v1_AttachRequest, _implicam_v1_AttachResponse__Output>;
  Attach(options?: grpc.CallOptions): grpc.ClientDuplexStream<_implicam_v1_AttachRequest, _implicam_v1_AttachResponse__Output>;
  /**
   * One long-lived stream for each runner. The first report is `hello`, the first command is `welcome`. A side that receives
   * nothing for `Welcome.silence_ms` ends the stream; the runner then keeps its snapshots and connects again.
   */
  attach(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_implicam_v1_AttachRequest, _implicam_v1_AttachResponse__Output>;
  attach(options?: grpc.CallOptions): grpc.ClientDuplexStream<_implicam_v1_AttachRequest, _implicam_v1_AttachResponse__Output>;
  
}

/**
 * Served by the coordinator. A runner is attached as long as its stream lives.
 */
export interface CoordinationServiceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * One long-lived stream for each runner. The first report is `hello`, the first command is `welcome`. A side that receives
   * nothing for `Welcome.silence_ms` ends the stream; the runner then keeps its snapshots and connects again.
   */
  Attach: grpc.handleBidiStreamingCall<_implicam_v1_AttachRequest__Output, _implicam_v1_AttachResponse>;
  
}

export interface CoordinationServiceDefinition extends grpc.ServiceDefinition {
  Attach: MethodDefinition<_implicam_v1_AttachRequest, _implicam_v1_AttachResponse, _implicam_v1_AttachRequest__Output, _implicam_v1_AttachResponse__Output>
}
