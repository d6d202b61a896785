import type { Peer } from './peer-links.js';
import type { ShardRange } from './snapshot-vault.js';

/** One runner's part in a placement. */
export interface Member extends Peer {
  readonly shards: ShardRange;
}

/** The order to hold shards of a session, see proto/implicam/v1/training.proto. */
export interface HostOrder {
  readonly session: string;
  readonly epoch: number;
  readonly shards: ShardRange;
  readonly placement: readonly Member[];
  readonly buddy: Peer | undefined;
  readonly step: number;
  /** Holder not set: the object store. */
  readonly sources: readonly { readonly shards: ShardRange; readonly holder: Peer | undefined }[];
  readonly copy: boolean;
}

/** A small picture in the object store. */
export interface StoredPreview {
  readonly key: string;
  readonly type: string;
  readonly width: number;
  readonly height: number;
}

export interface StoredPiece {
  readonly shard: number;
  readonly key: string;
  readonly sha256: string;
  readonly bytes: number;
}

export type FailureCode = 'memory' | 'data' | 'store' | 'engine';

/** What a hosted session has to say; the epoch goes without saying. */
export interface SessionReports {
  hosted(): void;
  progressed(step: number, loss: number, psnr: number, stepsPerSecond: number): void;
  previewed(step: number, picture: StoredPreview): void;
  snapshotTaken(step: number): void;
  stored(step: number, pieces: readonly StoredPiece[]): void;
  storeFailed(step: number, message: string): void;
  peerFailed(peer: string, message: string): void;
  failed(code: FailureCode, message: string): void;
}

export function shardsOf({ first, count }: ShardRange): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}
