// Original file: proto/implicam/v1/training.proto

import type { Welcome as _implicam_v1_Welcome, Welcome__Output as _implicam_v1_Welcome__Output } from '../../implicam/v1/Welcome.js';
import type { Host as _implicam_v1_Host, Host__Output as _implicam_v1_Host__Output } from '../../implicam/v1/Host.js';
import type { Advance as _implicam_v1_Advance, Advance__Output as _implicam_v1_Advance__Output } from '../../implicam/v1/Advance.js';
import type { Store as _implicam_v1_Store, Store__Output as _implicam_v1_Store__Output } from '../../implicam/v1/Store.js';
import type { Release as _implicam_v1_Release, Release__Output as _implicam_v1_Release__Output } from '../../implicam/v1/Release.js';
import type { Dismissed as _implicam_v1_Dismissed, Dismissed__Output as _implicam_v1_Dismissed__Output } from '../../implicam/v1/Dismissed.js';
import type { Heartbeat as _implicam_v1_Heartbeat, Heartbeat__Output as _implicam_v1_Heartbeat__Output } from '../../implicam/v1/Heartbeat.js';

/**
 * What the coordinator commands.
 */
export interface AttachResponse {
  'welcome'?: (_implicam_v1_Welcome | null);
  'host'?: (_implicam_v1_Host | null);
  'advance'?: (_implicam_v1_Advance | null);
  'store'?: (_implicam_v1_Store | null);
  'release'?: (_implicam_v1_Release | null);
  /**
   * Answers `draining` once no shard is left on this runner, or when waiting for that makes no sense.
   */
  'dismissed'?: (_implicam_v1_Dismissed | null);
  /**
   * Keeps the stream from falling silent.
   */
  'heartbeat'?: (_implicam_v1_Heartbeat | null);
  'command'?: "welcome"|"host"|"advance"|"store"|"release"|"dismissed"|"heartbeat";
}

/**
 * What the coordinator commands.
 */
export interface AttachResponse__Output {
  'welcome'?: (_implicam_v1_Welcome__Output | null);
  'host'?: (_implicam_v1_Host__Output | null);
  'advance'?: (_implicam_v1_Advance__Output | null);
  'store'?: (_implicam_v1_Store__Output | null);
  'release'?: (_implicam_v1_Release__Output | null);
  /**
   * Answers `draining` once no shard is left on this runner, or when waiting for that makes no sense.
   */
  'dismissed'?: (_implicam_v1_Dismissed__Output | null);
  /**
   * Keeps the stream from falling silent.
   */
  'heartbeat'?: (_implicam_v1_Heartbeat__Output | null);
  'command'?: "welcome"|"host"|"advance"|"store"|"release"|"dismissed"|"heartbeat";
}
