import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { Advance as _implicam_v1_Advance, Advance__Output as _implicam_v1_Advance__Output } from './implicam/v1/Advance.js';
import type { AttachRequest as _implicam_v1_AttachRequest, AttachRequest__Output as _implicam_v1_AttachRequest__Output } from './implicam/v1/AttachRequest.js';
import type { AttachResponse as _implicam_v1_AttachResponse, AttachResponse__Output as _implicam_v1_AttachResponse__Output } from './implicam/v1/AttachResponse.js';
import type { CoordinationServiceClient as _implicam_v1_CoordinationServiceClient, CoordinationServiceDefinition as _implicam_v1_CoordinationServiceDefinition } from './implicam/v1/CoordinationService.js';
import type { Damaged as _implicam_v1_Damaged, Damaged__Output as _implicam_v1_Damaged__Output } from './implicam/v1/Damaged.js';
import type { DeviceLink as _implicam_v1_DeviceLink, DeviceLink__Output as _implicam_v1_DeviceLink__Output } from './implicam/v1/DeviceLink.js';
import type { Discard as _implicam_v1_Discard, Discard__Output as _implicam_v1_Discard__Output } from './implicam/v1/Discard.js';
import type { Draining as _implicam_v1_Draining, Draining__Output as _implicam_v1_Draining__Output } from './implicam/v1/Draining.js';
import type { Failed as _implicam_v1_Failed, Failed__Output as _implicam_v1_Failed__Output } from './implicam/v1/Failed.js';
import type { Heartbeat as _implicam_v1_Heartbeat, Heartbeat__Output as _implicam_v1_Heartbeat__Output } from './implicam/v1/Heartbeat.js';
import type { HeldSnapshot as _implicam_v1_HeldSnapshot, HeldSnapshot__Output as _implicam_v1_HeldSnapshot__Output } from './implicam/v1/HeldSnapshot.js';
import type { Hello as _implicam_v1_Hello, Hello__Output as _implicam_v1_Hello__Output } from './implicam/v1/Hello.js';
import type { Host as _implicam_v1_Host, Host__Output as _implicam_v1_Host__Output } from './implicam/v1/Host.js';
import type { Hosted as _implicam_v1_Hosted, Hosted__Output as _implicam_v1_Hosted__Output } from './implicam/v1/Hosted.js';
import type { Member as _implicam_v1_Member, Member__Output as _implicam_v1_Member__Output } from './implicam/v1/Member.js';
import type { Park as _implicam_v1_Park, Park__Output as _implicam_v1_Park__Output } from './implicam/v1/Park.js';
import type { PeerFailed as _implicam_v1_PeerFailed, PeerFailed__Output as _implicam_v1_PeerFailed__Output } from './implicam/v1/PeerFailed.js';
import type { Previewed as _implicam_v1_Previewed, Previewed__Output as _implicam_v1_Previewed__Output } from './implicam/v1/Previewed.js';
import type { Progressed as _implicam_v1_Progressed, Progressed__Output as _implicam_v1_Progressed__Output } from './implicam/v1/Progressed.js';
import type { Release as _implicam_v1_Release, Release__Output as _implicam_v1_Release__Output } from './implicam/v1/Release.js';
import type { Released as _implicam_v1_Released, Released__Output as _implicam_v1_Released__Output } from './implicam/v1/Released.js';
import type { ShardRange as _implicam_v1_ShardRange, ShardRange__Output as _implicam_v1_ShardRange__Output } from './implicam/v1/ShardRange.js';
import type { SnapshotTaken as _implicam_v1_SnapshotTaken, SnapshotTaken__Output as _implicam_v1_SnapshotTaken__Output } from './implicam/v1/SnapshotTaken.js';
import type { Source as _implicam_v1_Source, Source__Output as _implicam_v1_Source__Output } from './implicam/v1/Source.js';
import type { Store as _implicam_v1_Store, Store__Output as _implicam_v1_Store__Output } from './implicam/v1/Store.js';
import type { StoreFailed as _implicam_v1_StoreFailed, StoreFailed__Output as _implicam_v1_StoreFailed__Output } from './implicam/v1/StoreFailed.js';
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
       * Served by the coordinator. A runner is attached as long as its stream lives.
       */
      CoordinationService: SubtypeConstructor<typeof grpc.Client, _implicam_v1_CoordinationServiceClient> & { service: _implicam_v1_CoordinationServiceDefinition }
      Damaged: MessageTypeDefinition<_implicam_v1_Damaged, _implicam_v1_Damaged__Output>
      DeviceLink: MessageTypeDefinition<_implicam_v1_DeviceLink, _implicam_v1_DeviceLink__Output>
      Discard: MessageTypeDefinition<_implicam_v1_Discard, _implicam_v1_Discard__Output>
      Draining: MessageTypeDefinition<_implicam_v1_Draining, _implicam_v1_Draining__Output>
      Failed: MessageTypeDefinition<_implicam_v1_Failed, _implicam_v1_Failed__Output>
      FailureCode: EnumTypeDefinition
      Heartbeat: MessageTypeDefinition<_implicam_v1_Heartbeat, _implicam_v1_Heartbeat__Output>
      HeldSnapshot: MessageTypeDefinition<_implicam_v1_HeldSnapshot, _implicam_v1_HeldSnapshot__Output>
      Hello: MessageTypeDefinition<_implicam_v1_Hello, _implicam_v1_Hello__Output>
      Host: MessageTypeDefinition<_implicam_v1_Host, _implicam_v1_Host__Output>
      Hosted: MessageTypeDefinition<_implicam_v1_Hosted, _implicam_v1_Hosted__Output>
      Member: MessageTypeDefinition<_implicam_v1_Member, _implicam_v1_Member__Output>
      Park: MessageTypeDefinition<_implicam_v1_Park, _implicam_v1_Park__Output>
      PeerFailed: MessageTypeDefinition<_implicam_v1_PeerFailed, _implicam_v1_PeerFailed__Output>
      Previewed: MessageTypeDefinition<_implicam_v1_Previewed, _implicam_v1_Previewed__Output>
      Progressed: MessageTypeDefinition<_implicam_v1_Progressed, _implicam_v1_Progressed__Output>
      Release: MessageTypeDefinition<_implicam_v1_Release, _implicam_v1_Release__Output>
      Released: MessageTypeDefinition<_implicam_v1_Released, _implicam_v1_Released__Output>
      ShardRange: MessageTypeDefinition<_implicam_v1_ShardRange, _implicam_v1_ShardRange__Output>
      SnapshotTaken: MessageTypeDefinition<_implicam_v1_SnapshotTaken, _implicam_v1_SnapshotTaken__Output>
      Source: MessageTypeDefinition<_implicam_v1_Source, _implicam_v1_Source__Output>
      Store: MessageTypeDefinition<_implicam_v1_Store, _implicam_v1_Store__Output>
      StoreFailed: MessageTypeDefinition<_implicam_v1_StoreFailed, _implicam_v1_StoreFailed__Output>
      Stored: MessageTypeDefinition<_implicam_v1_Stored, _implicam_v1_Stored__Output>
      StoredPiece: MessageTypeDefinition<_implicam_v1_StoredPiece, _implicam_v1_StoredPiece__Output>
      Welcome: MessageTypeDefinition<_implicam_v1_Welcome, _implicam_v1_Welcome__Output>
    }
  }
}

