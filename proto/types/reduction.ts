import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { ExchangeRequest as _implicam_v1_ExchangeRequest, ExchangeRequest__Output as _implicam_v1_ExchangeRequest__Output } from './implicam/v1/ExchangeRequest.js';
import type { ExchangeResponse as _implicam_v1_ExchangeResponse, ExchangeResponse__Output as _implicam_v1_ExchangeResponse__Output } from './implicam/v1/ExchangeResponse.js';
import type { FetchSnapshotRequest as _implicam_v1_FetchSnapshotRequest, FetchSnapshotRequest__Output as _implicam_v1_FetchSnapshotRequest__Output } from './implicam/v1/FetchSnapshotRequest.js';
import type { FetchSnapshotResponse as _implicam_v1_FetchSnapshotResponse, FetchSnapshotResponse__Output as _implicam_v1_FetchSnapshotResponse__Output } from './implicam/v1/FetchSnapshotResponse.js';
import type { KeepSnapshotRequest as _implicam_v1_KeepSnapshotRequest, KeepSnapshotRequest__Output as _implicam_v1_KeepSnapshotRequest__Output } from './implicam/v1/KeepSnapshotRequest.js';
import type { KeepSnapshotResponse as _implicam_v1_KeepSnapshotResponse, KeepSnapshotResponse__Output as _implicam_v1_KeepSnapshotResponse__Output } from './implicam/v1/KeepSnapshotResponse.js';
import type { PeerServiceClient as _implicam_v1_PeerServiceClient, PeerServiceDefinition as _implicam_v1_PeerServiceDefinition } from './implicam/v1/PeerService.js';
import type { Piece as _implicam_v1_Piece, Piece__Output as _implicam_v1_Piece__Output } from './implicam/v1/Piece.js';
import type { SnapshotPart as _implicam_v1_SnapshotPart, SnapshotPart__Output as _implicam_v1_SnapshotPart__Output } from './implicam/v1/SnapshotPart.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  implicam: {
    v1: {
      ExchangeRequest: MessageTypeDefinition<_implicam_v1_ExchangeRequest, _implicam_v1_ExchangeRequest__Output>
      ExchangeResponse: MessageTypeDefinition<_implicam_v1_ExchangeResponse, _implicam_v1_ExchangeResponse__Output>
      FetchSnapshotRequest: MessageTypeDefinition<_implicam_v1_FetchSnapshotRequest, _implicam_v1_FetchSnapshotRequest__Output>
      FetchSnapshotResponse: MessageTypeDefinition<_implicam_v1_FetchSnapshotResponse, _implicam_v1_FetchSnapshotResponse__Output>
      KeepSnapshotRequest: MessageTypeDefinition<_implicam_v1_KeepSnapshotRequest, _implicam_v1_KeepSnapshotRequest__Output>
      KeepSnapshotResponse: MessageTypeDefinition<_implicam_v1_KeepSnapshotResponse, _implicam_v1_KeepSnapshotResponse__Output>
      /**
       * Served by every runner to its peers.
       */
      PeerService: SubtypeConstructor<typeof grpc.Client, _implicam_v1_PeerServiceClient> & { service: _implicam_v1_PeerServiceDefinition }
      Piece: MessageTypeDefinition<_implicam_v1_Piece, _implicam_v1_Piece__Output>
      SnapshotPart: MessageTypeDefinition<_implicam_v1_SnapshotPart, _implicam_v1_SnapshotPart__Output>
    }
  }
}

