// Original file: proto/implicam/v1/coordination.proto

import type { Hello as _implicam_v1_Hello, Hello__Output as _implicam_v1_Hello__Output } from '../../implicam/v1/Hello.js';
import type { Heartbeat as _implicam_v1_Heartbeat, Heartbeat__Output as _implicam_v1_Heartbeat__Output } from '../../implicam/v1/Heartbeat.js';
import type { Hosted as _implicam_v1_Hosted, Hosted__Output as _implicam_v1_Hosted__Output } from '../../implicam/v1/Hosted.js';
import type { Progressed as _implicam_v1_Progressed, Progressed__Output as _implicam_v1_Progressed__Output } from '../../implicam/v1/Progressed.js';
import type { SnapshotTaken as _implicam_v1_SnapshotTaken, SnapshotTaken__Output as _implicam_v1_SnapshotTaken__Output } from '../../implicam/v1/SnapshotTaken.js';
import type { Stored as _implicam_v1_Stored, Stored__Output as _implicam_v1_Stored__Output } from '../../implicam/v1/Stored.js';
import type { StoreFailed as _implicam_v1_StoreFailed, StoreFailed__Output as _implicam_v1_StoreFailed__Output } from '../../implicam/v1/StoreFailed.js';
import type { PeerFailed as _implicam_v1_PeerFailed, PeerFailed__Output as _implicam_v1_PeerFailed__Output } from '../../implicam/v1/PeerFailed.js';
import type { Failed as _implicam_v1_Failed, Failed__Output as _implicam_v1_Failed__Output } from '../../implicam/v1/Failed.js';
import type { Draining as _implicam_v1_Draining, Draining__Output as _implicam_v1_Draining__Output } from '../../implicam/v1/Draining.js';
import type { Previewed as _implicam_v1_Previewed, Previewed__Output as _implicam_v1_Previewed__Output } from '../../implicam/v1/Previewed.js';
import type { Damaged as _implicam_v1_Damaged, Damaged__Output as _implicam_v1_Damaged__Output } from '../../implicam/v1/Damaged.js';

/**
 * What a runner reports. Reports about a training carry the epoch of the `host` command that they belong to; the
 * coordinator ignores those of other epochs.
 */
export interface AttachRequest {
  'hello'?: (_implicam_v1_Hello | null);
  'heartbeat'?: (_implicam_v1_Heartbeat | null);
  'hosted'?: (_implicam_v1_Hosted | null);
  'progressed'?: (_implicam_v1_Progressed | null);
  'snapshotTaken'?: (_implicam_v1_SnapshotTaken | null);
  'stored'?: (_implicam_v1_Stored | null);
  'storeFailed'?: (_implicam_v1_StoreFailed | null);
  'peerFailed'?: (_implicam_v1_PeerFailed | null);
  'failed'?: (_implicam_v1_Failed | null);
  'draining'?: (_implicam_v1_Draining | null);
  'previewed'?: (_implicam_v1_Previewed | null);
  'damaged'?: (_implicam_v1_Damaged | null);
  'report'?: "hello"|"heartbeat"|"hosted"|"progressed"|"snapshotTaken"|"stored"|"storeFailed"|"peerFailed"|"failed"|"draining"|"previewed"|"damaged";
}

/**
 * What a runner reports. Reports about a training carry the epoch of the `host` command that they belong to; the
 * coordinator ignores those of other epochs.
 */
export interface AttachRequest__Output {
  'hello'?: (_implicam_v1_Hello__Output | null);
  'heartbeat'?: (_implicam_v1_Heartbeat__Output | null);
  'hosted'?: (_implicam_v1_Hosted__Output | null);
  'progressed'?: (_implicam_v1_Progressed__Output | null);
  'snapshotTaken'?: (_implicam_v1_SnapshotTaken__Output | null);
  'stored'?: (_implicam_v1_Stored__Output | null);
  'storeFailed'?: (_implicam_v1_StoreFailed__Output | null);
  'peerFailed'?: (_implicam_v1_PeerFailed__Output | null);
  'failed'?: (_implicam_v1_Failed__Output | null);
  'draining'?: (_implicam_v1_Draining__Output | null);
  'previewed'?: (_implicam_v1_Previewed__Output | null);
  'damaged'?: (_implicam_v1_Damaged__Output | null);
  'report'?: "hello"|"heartbeat"|"hosted"|"progressed"|"snapshotTaken"|"stored"|"storeFailed"|"peerFailed"|"failed"|"draining"|"previewed"|"damaged";
}
