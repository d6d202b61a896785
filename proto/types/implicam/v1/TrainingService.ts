// Original file: proto/implicam/v1/training.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CancelTrainingRequest as _implicam_v1_CancelTrainingRequest, CancelTrainingRequest__Output as _implicam_v1_CancelTrainingRequest__Output } from '../../implicam/v1/CancelTrainingRequest.js';
import type { CancelTrainingResponse as _implicam_v1_CancelTrainingResponse, CancelTrainingResponse__Output as _implicam_v1_CancelTrainingResponse__Output } from '../../implicam/v1/CancelTrainingResponse.js';
import type { SubmitTrainingRequest as _implicam_v1_SubmitTrainingRequest, SubmitTrainingRequest__Output as _implicam_v1_SubmitTrainingRequest__Output } from '../../implicam/v1/SubmitTrainingRequest.js';
import type { SubmitTrainingResponse as _implicam_v1_SubmitTrainingResponse, SubmitTrainingResponse__Output as _implicam_v1_SubmitTrainingResponse__Output } from '../../implicam/v1/SubmitTrainingResponse.js';
import type { WatchTrainingRequest as _implicam_v1_WatchTrainingRequest, WatchTrainingRequest__Output as _implicam_v1_WatchTrainingRequest__Output } from '../../implicam/v1/WatchTrainingRequest.js';
import type { WatchTrainingResponse as _implicam_v1_WatchTrainingResponse, WatchTrainingResponse__Output as _implicam_v1_WatchTrainingResponse__Output } from '../../implicam/v1/WatchTrainingResponse.js';

/**
 * Served by the coordinator to programs on the same side of the network: the command line and tests. Phones use HTTP.
 */
export interface TrainingServiceClient extends grpc.Client {
  /**
   * Stops the training after the step in progress, keeping a snapshot of that step in the object store.
   */
  CancelTraining(argument: _implicam_v1_CancelTrainingRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_CancelTrainingResponse__Output>): grpc.ClientUnaryCall;
  CancelTraining(argument: _implicam_v1_CancelTrainingRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_implicam_v1_CancelTrainingResponse__Output>): grpc.ClientUnaryCall;
  CancelTraining(argument: _implicam_v1_CancelTrainingRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_CancelTrainingResponse__Output>): grpc.ClientUnaryCall;
  CancelTraining(argument: _implicam_v1_CancelTrainingRequest, callback: grpc.requestCallback<_implicam_v1_CancelTrainingResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Stops the training after the step in progress, keeping a snapshot of that step in the object store.
   */
  cancelTraining(argument: _implicam_v1_CancelTrainingRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_CancelTrainingResponse__Output>): grpc.ClientUnaryCall;
  cancelTraining(argument: _implicam_v1_CancelTrainingRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_implicam_v1_CancelTrainingResponse__Output>): grpc.ClientUnaryCall;
  cancelTraining(argument: _implicam_v1_CancelTrainingRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_CancelTrainingResponse__Output>): grpc.ClientUnaryCall;
  cancelTraining(argument: _implicam_v1_CancelTrainingRequest, callback: grpc.requestCallback<_implicam_v1_CancelTrainingResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Starts a training whose prepared scene is in the object store already. Submitting the same id again is no error: the
   * answer is the status of that training.
   */
  SubmitTraining(argument: _implicam_v1_SubmitTrainingRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_SubmitTrainingResponse__Output>): grpc.ClientUnaryCall;
  SubmitTraining(argument: _implicam_v1_SubmitTrainingRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_implicam_v1_SubmitTrainingResponse__Output>): grpc.ClientUnaryCall;
  SubmitTraining(argument: _implicam_v1_SubmitTrainingRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_SubmitTrainingResponse__Output>): grpc.ClientUnaryCall;
  SubmitTraining(argument: _implicam_v1_SubmitTrainingRequest, callback: grpc.requestCallback<_implicam_v1_SubmitTrainingResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Starts a training whose prepared scene is in the object store already. Submitting the same id again is no error: the
   * answer is the status of that training.
   */
  submitTraining(argument: _implicam_v1_SubmitTrainingRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_SubmitTrainingResponse__Output>): grpc.ClientUnaryCall;
  submitTraining(argument: _implicam_v1_SubmitTrainingRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_implicam_v1_SubmitTrainingResponse__Output>): grpc.ClientUnaryCall;
  submitTraining(argument: _implicam_v1_SubmitTrainingRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_SubmitTrainingResponse__Output>): grpc.ClientUnaryCall;
  submitTraining(argument: _implicam_v1_SubmitTrainingRequest, callback: grpc.requestCallback<_implicam_v1_SubmitTrainingResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Streams the training's status from now until it ends: at once, then whenever it changes, at most a few times a second.
   */
  WatchTraining(argument: _implicam_v1_WatchTrainingRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_WatchTrainingResponse__Output>;
  WatchTraining(argument: _implicam_v1_WatchTrainingRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_WatchTrainingResponse__Output>;
  /**
   * Streams the training's status from now until it ends: at once, then whenever it changes, at most a few times a second.
   */
  watchTraining(argument: _implicam_v1_WatchTrainingRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_WatchTrainingResponse__Output>;
  watchTraining(argument: _implicam_v1_WatchTrainingRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_WatchTrainingResponse__Output>;
  
}

/**
 * Served by the coordinator to programs on the same side of the network: the command line and tests. Phones use HTTP.
 */
export interface TrainingServiceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Stops the training after the step in progress, keeping a snapshot of that step in the object store.
   */
  CancelTraining: grpc.handleUnaryCall<_implicam_v1_CancelTrainingRequest__Output, _implicam_v1_CancelTrainingResponse>;
  
  /**
   * Starts a training whose prepared scene is in the object store already. Submitting the same id again is no error: the
   * answer is the status of that training.
   */
  SubmitTraining: grpc.handleUnaryCall<_implicam_v1_SubmitTrainingRequest__Output, _implicam_v1_SubmitTrainingResponse>;
  
  /**
   * Streams the training's status from now until it ends: at once, then whenever it changes, at most a few times a second.
   */
  WatchTraining: grpc.handleServerStreamingCall<_implicam_v1_WatchTrainingRequest__Output, _implicam_v1_WatchTrainingResponse>;
  
}

export interface TrainingServiceDefinition extends grpc.ServiceDefinition {
  CancelTraining: MethodDefinition<_implicam_v1_CancelTrainingRequest, _implicam_v1_CancelTrainingResponse, _implicam_v1_CancelTrainingRequest__Output, _implicam_v1_CancelTrainingResponse__Output>
  SubmitTraining: MethodDefinition<_implicam_v1_SubmitTrainingRequest, _implicam_v1_SubmitTrainingResponse, _implicam_v1_SubmitTrainingRequest__Output, _implicam_v1_SubmitTrainingResponse__Output>
  WatchTraining: MethodDefinition<_implicam_v1_WatchTrainingRequest, _implicam_v1_WatchTrainingResponse, _implicam_v1_WatchTrainingRequest__Output, _implicam_v1_WatchTrainingResponse__Output>
}
