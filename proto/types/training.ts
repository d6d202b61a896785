import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Advance as _implicam_v1_Advance, Advance__Output as _implicam_v1_Advance__Output } from './implicam/v1/Advance.js';
import type { AttachRequest as _implicam_v1_AttachRequest, AttachRequest__Output as _implicam_v1_AttachRequest__Output } from './implicam/v1/AttachRequest.js';
import type { AttachResponse as _implicam_v1_AttachResponse, AttachResponse__Output as _implicam_v1_AttachResponse__Output } from './implicam/v1/AttachResponse.js';
import type { CoordinationServiceClient as _implicam_v1_CoordinationServiceClient, CoordinationServiceDefinition as _implicam_v1_CoordinationServiceDefinition } from './implicam/v1/CoordinationService.js';
import type { Dismissed as _implicam_v1_Dismissed, Dismissed__Output as _implicam_v1_Dismissed__Output } from './implicam/v1/Dismissed.js';
import type { Draining as _implicam_v1_Draining, Draining__Output as _implicam_v1_Draining__Output } from './implicam/v1/Draining.js';
import type { Heartbeat as _implicam_v1_Heartbeat, Heartbeat__Output as _implicam_v1_Heartbeat__Output } from './implicam/v1/Heartbeat.js';
import type { Hello as _implicam_v1_Hello, Hello__Output as _implicam_v1_Hello__Output } from './implicam/v1/Hello.js';
import type { Holder as _implicam_v1_Holder, Holder__Output as _implicam_v1_Holder__Output } from './implicam/v1/Holder.js';
import type { Host as _implicam_v1_Host, Host__Output as _implicam_v1_Host__Output } from './implicam/v1/Host.js';
import type { HostFailed as _implicam_v1_HostFailed, HostFailed__Output as _implicam_v1_HostFailed__Output } from './implicam/v1/HostFailed.js';
import type { Hosted as _implicam_v1_Hosted, Hosted__Output as _implicam_v1_Hosted__Output } from './implicam/v1/Hosted.js';
import type { PeerFailed as _implicam_v1_PeerFailed, PeerFailed__Output as _implicam_v1_PeerFailed__Output } from './implicam/v1/PeerFailed.js';
import type { Progressed as _implicam_v1_Progressed, Progressed__Output as _implicam_v1_Progressed__Output } from './implicam/v1/Progressed.js';
import type { Release as _implicam_v1_Release, Release__Output as _implicam_v1_Release__Output } from './implicam/v1/Release.js';
import type { SnapshotTaken as _implicam_v1_SnapshotTaken, SnapshotTaken__Output as _implicam_v1_SnapshotTaken__Output } from './implicam/v1/SnapshotTaken.js';
import type { Source as _implicam_v1_Source, Source__Output as _implicam_v1_Source__Output } from './implicam/v1/Source.js';
import type { Store as _implicam_v1_Store, Store__Output as _implicam_v1_Store__Output } from './implicam/v1/Store.js';
import type { Stored as _implicam_v1_Stored, Stored__Output as _implicam_v1_Stored__Output } from './implicam/v1/Stored.js';
import type { StoredPiece as _implicam_v1_StoredPiece, StoredPiece__Output as _implicam_v1_StoredPiece__Output } from './implicam/v1/StoredPiece.js';
import type { Welcome as _implicam_v1_Welcome, Welcome__Output as _implicam_v1_Welcome__Output } from './implicam/v1/Welcome.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  implicam: {
    v1: {
      Advance: MessageTypeDefinition<_implicam_v1_Advance, _implicam_v1_Advance__Output>
      AttachRequest: MessageTypeDefinition<_implicam_v1_AttachRequest, _implicam_v1_AttachRequest__Output>
      AttachResponse: MessageTypeDefinition<_implicam_v1_AttachResponse, _implicam_v1_AttachResponse__Output>
      /**
       * Served by the coordinator. A runner is a member as long as its stream lives; nothing about it is remembered beyond.
       */
      CoordinationService: SubtypeConstructor<typeof grpc.Client, _implicam_v1_CoordinationServiceClient> & { service: _implicam_v1_CoordinationServiceDefinition }
      Dismissed: MessageTypeDefinition<_implicam_v1_Dismissed, _implicam_v1_Dismissed__Output>
      Draining: MessageTypeDefinition<_implicam_v1_Draining, _implicam_v1_Draining__Output>
      Heartbeat: MessageTypeDefinition<_implicam_v1_Heartbeat, _implicam_v1_Heartbeat__Output>
      Hello: MessageTypeDefinition<_implicam_v1_Hello, _implicam_v1_Hello__Output>
      Holder: MessageTypeDefinition<_implicam_v1_Holder, _implicam_v1_Holder__Output>
      Host: MessageTypeDefinition<_implicam_v1_Host, _implicam_v1_Host__Output>
      HostFailed: MessageTypeDefinition<_implicam_v1_HostFailed, _implicam_v1_HostFailed__Output>
      Hosted: MessageTypeDefinition<_implicam_v1_Hosted, _implicam_v1_Hosted__Output>
      PeerFailed: MessageTypeDefinition<_implicam_v1_PeerFailed, _implicam_v1_PeerFailed__Output>
      Progressed: MessageTypeDefinition<_implicam_v1_Progressed, _implicam_v1_Progressed__Output>
      Release: MessageTypeDefinition<_implicam_v1_Release, _implicam_v1_Release__Output>
      SnapshotTaken: MessageTypeDefinition<_implicam_v1_SnapshotTaken, _implicam_v1_SnapshotTaken__Output>
      Source: MessageTypeDefinition<_implicam_v1_Source, _implicam_v1_Source__Output>
      Store: MessageTypeDefinition<_implicam_v1_Store, _implicam_v1_Store__Output>
      Stored: MessageTypeDefinition<_implicam_v1_Stored, _implicam_v1_Stored__Output>
      StoredPiece: MessageTypeDefinition<_implicam_v1_StoredPiece, _implicam_v1_StoredPiece__Output>
      Welcome: MessageTypeDefinition<_implicam_v1_Welcome, _implicam_v1_Welcome__Output>
    }
  }
}

