import type { Command, SessionSpec, StoredSnapshot } from '../scheduler/types.js';

/** How a session ended. */
export type SessionEnd =
  | { readonly kind: 'finished'; readonly step: number }
  | { readonly kind: 'cancelled'; readonly step: number }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

export interface CommitRecord {
  readonly session: string;
  readonly epoch: number;
  readonly step: number;
  readonly engine: string;
  /** The newest, of `step`, first. */
  readonly snapshots: readonly StoredSnapshot[];
}

/** What the ledger tells the coordinator. */
export interface LedgerListener {
  /** A session was claimed: train it. */
  onClaimed(spec: SessionSpec): void;
  onCancel(session: string): void;
  /** Another coordinator has it now: nothing of it may be written any more. */
  onLeaseLost(session: string, lease: number): void;
}

/**
 * Where sessions come from, and where it is written down how far they are: a folder (`folder-ledger.ts`) or Postgres
 * (`postgres-ledger.ts`). Every claim has a lease with a number larger than all before it.
 */
export interface Ledger {
  start(listener: LedgerListener): Promise<void>;
  /** Writes down which snapshots to continue from, then drops older ones. @throws ImplicamError `lease-lost` */
  commit(record: CommitRecord): Promise<void>;
  /** Writes down how a session ended, and gives up its lease. */
  end(session: string, end: SessionEnd): Promise<void>;
  /** Told of everything that the scheduler decides, for those who follow a session. */
  heed?(command: Command): void;
  /** Gives all leases back, so that another coordinator need not wait for them to run out. */
  close(): Promise<void>;
}
