// Original file: proto/implicam/v1/reduction.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { BakePreviewRequest as _implicam_v1_BakePreviewRequest, BakePreviewRequest__Output as _implicam_v1_BakePreviewRequest__Output } from '../../implicam/v1/BakePreviewRequest.js';
import type { BakePreviewResponse as _implicam_v1_BakePreviewResponse, BakePreviewResponse__Output as _implicam_v1_BakePreviewResponse__Output } from '../../implicam/v1/BakePreviewResponse.js';
import type { ExchangeRequest as _implicam_v1_ExchangeRequest, ExchangeRequest__Output as _implicam_v1_ExchangeRequest__Output } from '../../implicam/v1/ExchangeRequest.js';
import type { ExchangeResponse as _implicam_v1_ExchangeResponse, ExchangeResponse__Output as _implicam_v1_ExchangeResponse__Output } from '../../implicam/v1/ExchangeResponse.js';
import type { FetchSnapshotRequest as _implicam_v1_FetchSnapshotRequest, FetchSnapshotRequest__Output as _implicam_v1_FetchSnapshotRequest__Output } from '../../implicam/v1/FetchSnapshotRequest.js';
import type { FetchSnapshotResponse as _implicam_v1_FetchSnapshotResponse, FetchSnapshotResponse__Output as _implicam_v1_FetchSnapshotResponse__Output } from '../../implicam/v1/FetchSnapshotResponse.js';
import type { KeepSnapshotRequest as _implicam_v1_KeepSnapshotRequest, KeepSnapshotRequest__Output as _implicam_v1_KeepSnapshotRequest__Output } from '../../implicam/v1/KeepSnapshotRequest.js';
import type { KeepSnapshotResponse as _implicam_v1_KeepSnapshotResponse, KeepSnapshotResponse__Output as _implicam_v1_KeepSnapshotResponse__Output } from '../../implicam/v1/KeepSnapshotResponse.js';

/**
 * Served by every runner to its peers.
 */
export interface PeerServiceClient extends grpc.Client {
  /**
   * Bakes tiles of a snapshot that a peer holds: its part of a small picture. It is for display: no decision depends on it, and
   * a peer that has no time or memory for it refuses.
   */
  BakePreview(argument: _implicam_v1_BakePreviewRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_BakePreviewResponse__Output>;
  BakePreview(argument: _implicam_v1_BakePreviewRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_BakePreviewResponse__Output>;
  /**
   * Bakes tiles of a snapshot that a peer holds: its part of a small picture. It is for display: no decision depends on it, and
   * a peer that has no time or memory for it refuses.
   */
  bakePreview(argument: _implicam_v1_BakePreviewRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_BakePreviewResponse__Output>;
  bakePreview(argument: _implicam_v1_BakePreviewRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_BakePreviewResponse__Output>;
  
  /**
   * One long-lived stream for each pair of runners, opened by the one whose id sorts first; both sides send. The opener names
   * itself and the process that it wants to reach in the metadata `implicam-from` and `implicam-to`.
   */
  Exchange(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_implicam_v1_ExchangeRequest, _implicam_v1_ExchangeResponse__Output>;
  Exchange(options?: grpc.CallOptions): grpc.ClientDuplexStream<_implicam_v1_ExchangeRequest, _implicam_v1_ExchangeResponse__Output>;
  /**
   * One long-lived stream for each pair of runners, opened by the one whose id sorts first; both sides send. The opener names
   * itself and the process that it wants to reach in the metadata `implicam-from` and `implicam-to`.
   */
  exchange(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_implicam_v1_ExchangeRequest, _implicam_v1_ExchangeResponse__Output>;
  exchange(options?: grpc.CallOptions): grpc.ClientDuplexStream<_implicam_v1_ExchangeRequest, _implicam_v1_ExchangeResponse__Output>;
  
  /**
   * Reads a snapshot that a peer holds, its own or a copy.
   */
  FetchSnapshot(argument: _implicam_v1_FetchSnapshotRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_FetchSnapshotResponse__Output>;
  FetchSnapshot(argument: _implicam_v1_FetchSnapshotRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_FetchSnapshotResponse__Output>;
  /**
   * Reads a snapshot that a peer holds, its own or a copy.
   */
  fetchSnapshot(argument: _implicam_v1_FetchSnapshotRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_FetchSnapshotResponse__Output>;
  fetchSnapshot(argument: _implicam_v1_FetchSnapshotRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_implicam_v1_FetchSnapshotResponse__Output>;
  
  /**
   * Leaves a copy of a part of a snapshot with a peer.
   */
  KeepSnapshot(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_KeepSnapshotResponse__Output>): grpc.ClientWritableStream<_implicam_v1_KeepSnapshotRequest>;
  KeepSnapshot(metadata: grpc.Metadata, callback: grpc.requestCallback<_implicam_v1_KeepSnapshotResponse__Output>): grpc.ClientWritableStream<_implicam_v1_KeepSnapshotRequest>;
  KeepSnapshot(options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_KeepSnapshotResponse__Output>): grpc.ClientWritableStream<_implicam_v1_KeepSnapshotRequest>;
  KeepSnapshot(callback: grpc.requestCallback<_implicam_v1_KeepSnapshotResponse__Output>): grpc.ClientWritableStream<_implicam_v1_KeepSnapshotRequest>;
  /**
   * Leaves a copy of a part of a snapshot with a peer.
   */
  keepSnapshot(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_KeepSnapshotResponse__Output>): grpc.ClientWritableStream<_implicam_v1_KeepSnapshotRequest>;
  keepSnapshot(metadata: grpc.Metadata, callback: grpc.requestCallback<_implicam_v1_KeepSnapshotResponse__Output>): grpc.ClientWritableStream<_implicam_v1_KeepSnapshotRequest>;
  keepSnapshot(options: grpc.CallOptions, callback: grpc.requestCallback<_implicam_v1_KeepSnapshotResponse__Output>): grpc.ClientWritableStream<_implicam_v1_KeepSnapshotRequest>;
  keepSnapshot(callback: grpc.requestCallback<_implicam_v1_KeepSnapshotResponse__Output>): grpc.ClientWritableStream<_implicam_v1_KeepSnapshotRequest>;
  
}

/**
 * Served by every runner to its peers.
 */
export interface PeerServiceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Bakes tiles of a snapshot that a peer holds: its part of a small picture. It is for display: no decision depends on it, and
   * a peer that has no time or memory for it refuses.
   */
  BakePreview: grpc.handleServerStreamingCall<_implicam_v1_BakePreviewRequest__Output, _implicam_v1_BakePreviewResponse>;
  
  /**
   * One long-lived stream for each pair of runners, opened by the one whose id sorts first; both sides send. The opener names
   * itself and the process that it wants to reach in the metadata `implicam-from` and `implicam-to`.
   */
  Exchange: grpc.handleBidiStreamingCall<_implicam_v1_ExchangeRequest__Output, _implicam_v1_ExchangeResponse>;
  
  /**
   * Reads a snapshot that a peer holds, its own or a copy.
   */
  FetchSnapshot: grpc.handleServerStreamingCall<_implicam_v1_FetchSnapshotRequest__Output, _implicam_v1_FetchSnapshotResponse>;
  
  /**
   * Leaves a copy of a part of a snapshot with a peer.
   */
  KeepSnapshot: grpc.handleClientStreamingCall<_implicam_v1_KeepSnapshotRequest__Output, _implicam_v1_KeepSnapshotResponse>;
  
}

export interface PeerServiceDefinition extends grpc.ServiceDefinition {
  BakePreview: MethodDefinition<_implicam_v1_BakePreviewRequest, _implicam_v1_BakePreviewResponse, _implicam_v1_BakePreviewRequest__Output, _implicam_v1_BakePreviewResponse__Output>
  Exchange: MethodDefinition<_implicam_v1_ExchangeRequest, _implicam_v1_ExchangeResponse, _implicam_v1_ExchangeRequest__Output, _implicam_v1_ExchangeResponse__Output>
  FetchSnapshot: MethodDefinition<_implicam_v1_FetchSnapshotRequest, _implicam_v1_FetchSnapshotResponse, _implicam_v1_FetchSnapshotRequest__Output, _implicam_v1_FetchSnapshotResponse__Output>
  KeepSnapshot: MethodDefinition<_implicam_v1_KeepSnapshotRequest, _implicam_v1_KeepSnapshotResponse, _implicam_v1_KeepSnapshotRequest__Output, _implicam_v1_KeepSnapshotResponse__Output>
}
