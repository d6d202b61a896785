import type { StoredPiece } from '../store/scene/keys.js';
import type { Peer } from './exchange/peer-links.js';
import type { ShardRange } from './snapshots/held.js';

/** One runner's part in a placement. */
export interface Member extends Peer {
  readonly shards: ShardRange;
}

/** The command to host shards of a training: see `Host` in proto/implicam/v1/coordination.proto. */
export interface HostOrder {
  readonly training: string;
  readonly epoch: number;
  readonly shards: ShardRange;
  readonly placement: readonly Member[];
  readonly buddy: Peer | undefined;
  readonly step: number;
  readonly sources: readonly SnapshotSource[];
  readonly copy: boolean;
  /** Sums may go from device to device. */
  readonly devices: boolean;
}

/** Where the state of some shards is: with a peer, or, where none is named, in the object store as these pieces. */
export interface SnapshotSource {
  readonly shards: ShardRange;
  readonly holder: Peer | undefined;
  readonly pieces: readonly StoredPiece[];
}

/** A small picture in the object store. */
export interface StoredPreview {
  readonly key: string;
  readonly type: string;
  readonly width: number;
  readonly height: number;
}

export type FailureCode = 'memory' | 'data' | 'store' | 'engine';

/** The reports of a hosted training; the host adds training and epoch to each. */
export interface TrainingReports {
  hosted(): void;
  progressed(step: number, loss: number, psnr: number, stepsPerSecond: number): void;
  previewed(step: number, picture: StoredPreview): void;
  /** @param computeMs what a step's own computation took since the last snapshot; 0 where there was none */
  snapshotTaken(step: number, milliseconds: number, computeMs: number): void;
  stored(step: number, pieces: readonly StoredPiece[]): void;
  storeFailed(step: number, message: string): void;
  /** The stored snapshot of that step is not what was written. */
  damaged(step: number, message: string): void;
  peerFailed(peer: string, message: string): void;
  failed(code: FailureCode, message: string): void;
}

/** Who holds each shard of the training. */
export function holdersOf({ placement }: HostOrder): string[] {
  const holders: string[] = [];
  for (const { runner, shards } of placement) for (const shard of shardsOf(shards)) holders[shard] = runner;
  return holders;
}

export function shardsOf({ first, count }: ShardRange): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}
