// Original file: proto/implicam/v1/session.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CancelSessionRequest as _implicam_v1_CancelSessionRequest, CancelSessionRequest__Output as _implicam_v1_CancelSessionRequest__Output } from '../../implicam/v1/CancelSessionRequest.js';
import type { CancelSessionResponse as _implicam_v1_CancelSessionResponse, CancelSessionResponse__Output as _implicam_v1_CancelSessionResponse__Output } from '../../implicam/v1/CancelSessionResponse.js';
import type { SubmitSessionRequest as _implicam_v1_SubmitSessionRequest, SubmitSessionRequest__Output as _implicam_v1_SubmitSessionRequest__Output } from '../../implicam/v1/SubmitSessionRequest.js';
import type { SubmitSessionResponse as _implicam_v1_SubmitSessionResponse, SubmitSessionResponse__Output as _implicam_v1_SubmitSessionResponse__Output } from '../../implicam/v1/SubmitSessionResponse.js';
import type { WatchSessionRequest as _implicam_v1_WatchSessionRequest, WatchSessionRequest__Output as _implicam_v1_WatchSessionRequest__Output } from '../../implicam/v1/WatchSessionRequest.js';
import type { WatchSessionResponse as _implicam_v1_WatchSessionResponse, WatchSessionResponse__Output as _implicam_v1_WatchSessionResponse__Output } from '../../implicam/v1/WatchSessionResponse.js';

/**
 * Served by the coordinator to programs on the same side of the network: the command line and tests. Phones use HTTP.
 */
export interface SessionServiceClient extends grpc.Client {
  /**
   * Stops the session after the step in progress, keeping a snapshot of that step in the object store.
   */
  CancelSession(argument: _implicam_v1_CancelSessionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_CancelSessionResponse__Output>): grpc.ClientUnaryCall;
  CancelSession(argument: _implicam_v1_CancelSessionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_implicam_v1_CancelSessionResponse__Output>): grpc.ClientUnaryCall;
  CancelSession(argument: _implicam_v1_CancelSessionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_CancelSessionResponse__Output>): grpc.ClientUnaryCall;
  CancelSession(argument: _implicam_v1_CancelSessionRequest, callback: grpc.requestCallback<_implicam_v1_CancelSessionResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Stops the session after the step in progress, keeping a snapshot of that step in the object store.
   */
  cancelSession(argument: _implicam_v1_CancelSessionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_CancelSessionResponse__Output>): grpc.ClientUnaryCall;
  cancelSession(argument: _implicam_v1_CancelSessionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_implicam_v1_CancelSessionResponse__Output>): grpc.ClientUnaryCall;
  cancelSession(argument: _implicam_v1_CancelSessionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_CancelSessionResponse__Output>): grpc.ClientUnaryCall;
  cancelSession(argument: _implicam_v1_CancelSessionRequest, callback: grpc.requestCallback<_implicam_v1_CancelSessionResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Takes a prepared session whose bundle is in the object store already. Submitting the same id again is no error: it
   * answers with what is known of that session.
   */
  SubmitSession(argument: _implicam_v1_SubmitSessionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_SubmitSessionResponse__Output>): grpc.ClientUnaryCall;
  SubmitSession(argument: _implicam_v1_SubmitSessionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_implicam_v1_SubmitSessionResponse__Output>): grpc.ClientUnaryCall;
  SubmitSession(argument: _implicam_v1_SubmitSessionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_SubmitSessionResponse__Output>): grpc.ClientUnaryCall;
  SubmitSession(argument: _implicam_v1_SubmitSessionRequest, callback: grpc.requestCallback<_implicam_v1_SubmitSessionResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Takes a prepared session whose bundle is in the object store already. Submitting the same id again is no error: it
   * answers with what is known of that session.
   */
  submitSession(argument: _implicam_v1_SubmitSessionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_SubmitSessionResponse__Output>): grpc.ClientUnaryCall;
  submitSession(argument: _implicam_v1_SubmitSessionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_implicam_v1_SubmitSessionResponse__Output>): grpc.ClientUnaryCall;
  submitSession(argument: _implicam_v1_SubmitSessionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_SubmitSessionResponse__Output>): grpc.ClientUnaryCall;
  submitSession(argument: _implicam_v1_SubmitSessionRequest, callback: grpc.requestCallback<_implicam_v1_SubmitSessionResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Streams the session's status from now until it ends: at once, then whenever it changes, at most a few times a second.
   */
  WatchSession(argument: _implicam_v1_WatchSessionRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_WatchSessionResponse__Output>;
  WatchSession(argument: _implicam_v1_WatchSessionRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_WatchSessionResponse__Output>;
  /**
   * Streams the session's status from now until it ends: at once, then whenever it changes, at most a few times a second.
   */
  watchSession(argument: _implicam_v1_WatchSessionRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_WatchSessionResponse__Output>;
  watchSession(argument: _implicam_v1_WatchSessionRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_WatchSessionResponse__Output>;
  
}

/**
 * Served by the coordinator to programs on the same side of the network: the command line and tests. Phones use HTTP.
 */
export interface SessionServiceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Stops the session after the step in progress, keeping a snapshot of that step in the object store.
   */
  CancelSession: grpc.handleUnaryCall<_implicam_v1_CancelSessionRequest__Output, _implicam_v1_CancelSessionResponse>;
  
  /**
   * Takes a prepared session whose bundle is in the object store already. Submitting the same id again is no error: it
   * answers with what is known of that session.
   */
  SubmitSession: grpc.handleUnaryCall<_implicam_v1_SubmitSessionRequest__Output, _implicam_v1_SubmitSessionResponse>;
  
  /**
   * Streams the session's status from now until it ends: at once, then whenever it changes, at most a few times a second.
   */
  WatchSession: grpc.handleServerStreamingCall<_implicam_v1_WatchSessionRequest__Output, _implicam_v1_WatchSessionResponse>;
  
}

export interface SessionServiceDefinition extends grpc.ServiceDefinition {
  CancelSession: MethodDefinition<_implicam_v1_CancelSessionRequest, _implicam_v1_CancelSessionResponse, _implicam_v1_CancelSessionRequest__Output, _implicam_v1_CancelSessionResponse__Output>
  SubmitSession: MethodDefinition<_implicam_v1_SubmitSessionRequest, _implicam_v1_SubmitSessionResponse, _implicam_v1_SubmitSessionRequest__Output, _implicam_v1_SubmitSessionResponse__Output>
  WatchSession: MethodDefinition<_implicam_v1_WatchSessionRequest, _implicam_v1_WatchSessionResponse, _implicam_v1_WatchSessionRequest__Output, _implicam_v1_WatchSessionResponse__Output>
}
