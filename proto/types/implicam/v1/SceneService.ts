// Original file: proto/implicam/v1/scene.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { FinishRequest as _implicam_v1_FinishRequest, FinishRequest__Output as _implicam_v1_FinishRequest__Output } from '../../implicam/v1/FinishRequest.js';
import type { FinishResponse as _implicam_v1_FinishResponse, FinishResponse__Output as _implicam_v1_FinishResponse__Output } from '../../implicam/v1/FinishResponse.js';
import type { PrepareRequest as _implicam_v1_PrepareRequest, PrepareRequest__Output as _implicam_v1_PrepareRequest__Output } from '../../implicam/v1/PrepareRequest.js';
import type { PrepareResponse as _implicam_v1_PrepareResponse, PrepareResponse__Output as _implicam_v1_PrepareResponse__Output } from '../../implicam/v1/PrepareResponse.js';

/**
 * Served by every runner, beside training and away from its thread. Ending the call ends the work.
 */
export interface SceneServiceClient extends grpc.Client {
  /**
   * Makes model file and results of a training whose last snapshot is in the object store.
   */
  Finish(argument: _implicam_v1_FinishRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_FinishResponse__Output>): grpc.ClientUnaryCall;
  Finish(argument: _implicam_v1_FinishRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_implicam_v1_FinishResponse__Output>): grpc.ClientUnaryCall;
  Finish(argument: _implicam_v1_FinishRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_FinishResponse__Output>): grpc.ClientUnaryCall;
  Finish(argument: _implicam_v1_FinishRequest, callback: grpc.requestCallback<_implicam_v1_FinishResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Makes model file and results of a training whose last snapshot is in the object store.
   */
  finish(argument: _implicam_v1_FinishRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_FinishResponse__Output>): grpc.ClientUnaryCall;
  finish(argument: _implicam_v1_FinishRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_implicam_v1_FinishResponse__Output>): grpc.ClientUnaryCall;
  finish(argument: _implicam_v1_FinishRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_FinishResponse__Output>): grpc.ClientUnaryCall;
  finish(argument: _implicam_v1_FinishRequest, callback: grpc.requestCallback<_implicam_v1_FinishResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Reads the photographs, registers them, makes the classical start, and writes the prepared scene to the object store.
   */
  Prepare(argument: _implicam_v1_PrepareRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_PrepareResponse__Output>;
  Prepare(argument: _implicam_v1_PrepareRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_PrepareResponse__Output>;
  /**
   * Reads the photographs, registers them, makes the classical start, and writes the prepared scene to the object store.
   */
  prepare(argument: _implicam_v1_PrepareRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_PrepareResponse__Output>;
  prepare(argument: _implicam_v1_PrepareRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_PrepareResponse__Output>;
  
}

/**
 * Served by every runner, beside training and away from its thread. Ending the call ends the work.
 */
export interface SceneServiceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Makes model file and results of a training whose last snapshot is in the object store.
   */
  Finish: grpc.handleUnaryCall<_implicam_v1_FinishRequest__Output, _implicam_v1_FinishResponse>;
  
  /**
   * Reads the photographs, registers them, makes the classical start, and writes the prepared scene to the object store.
   */
  Prepare: grpc.handleServerStreamingCall<_implicam_v1_PrepareRequest__Output, _implicam_v1_PrepareResponse>;
  
}

export interface SceneServiceDefinition extends grpc.ServiceDefinition {
  Finish: MethodDefinition<_implicam_v1_FinishRequest, _implicam_v1_FinishResponse, _implicam_v1_FinishRequest__Output, _implicam_v1_FinishResponse__Output>
  Prepare: MethodDefinition<_implicam_v1_PrepareRequest, _implicam_v1_PrepareResponse, _implicam_v1_PrepareRequest__Output, _implicam_v1_PrepareResponse__Output>
}
