// Original file: proto/implicam/v1/coordination.proto

import type { Welcome as _implicam_v1_Welcome, Welcome__Output as _implicam_v1_Welcome__Output } from '../../implicam/v1/Welcome.js';
import type { Heartbeat as _implicam_v1_Heartbeat, Heartbeat__Output as _implicam_v1_Heartbeat__Output } from '../../implicam/v1/Heartbeat.js';
import type { Host as _implicam_v1_Host, Host__Output as _implicam_v1_Host__Output } from '../../implicam/v1/Host.js';
import type { Advance as _implicam_v1_Advance, Advance__Output as _implicam_v1_Advance__Output } from '../../implicam/v1/Advance.js';
import type { Store as _implicam_v1_Store, Store__Output as _implicam_v1_Store__Output } from '../../implicam/v1/Store.js';
import type { Discard as _implicam_v1_Discard, Discard__Output as _implicam_v1_Discard__Output } from '../../implicam/v1/Discard.js';
import type { Park as _implicam_v1_Park, Park__Output as _implicam_v1_Park__Output } from '../../implicam/v1/Park.js';
import type { Release as _implicam_v1_Release, Release__Output as _implicam_v1_Release__Output } from '../../implicam/v1/Release.js';
import type { Released as _implicam_v1_Released, Released__Output as _implicam_v1_Released__Output } from '../../implicam/v1/Released.js';

/**
 * What the coordinator commands. A runner remembers the largest epoch of each training and ignores smaller ones.
 */
export interface AttachResponse {
  'welcome'?: (_implicam_v1_Welcome | null);
  'heartbeat'?: (_implicam_v1_Heartbeat | null);
  'host'?: (_implicam_v1_Host | null);
  'advance'?: (_implicam_v1_Advance | null);
  'store'?: (_implicam_v1_Store | null);
  'discard'?: (_implicam_v1_Discard | null);
  'park'?: (_implicam_v1_Park | null);
  'release'?: (_implicam_v1_Release | null);
  'released'?: (_implicam_v1_Released | null);
  'command'?: "welcome"|"heartbeat"|"host"|"advance"|"store"|"discard"|"park"|"release"|"released";
}

/**
 * What the coordinator commands. A runner remembers the largest epoch of each training and ignores smaller ones.
 */
export interface AttachResponse__Output {
  'welcome'?: (_implicam_v1_Welcome__Output | null);
  'heartbeat'?: (_implicam_v1_Heartbeat__Output | null);
  'host'?: (_implicam_v1_Host__Output | null);
  'advance'?: (_implicam_v1_Advance__Output | null);
  'store'?: (_implicam_v1_Store__Output | null);
  'discard'?: (_implicam_v1_Discard__Output | null);
  'park'?: (_implicam_v1_Park__Output | null);
  'release'?: (_implicam_v1_Release__Output | null);
  'released'?: (_implicam_v1_Released__Output | null);
  'command'?: "welcome"|"heartbeat"|"host"|"advance"|"store"|"discard"|"park"|"release"|"released";
}
