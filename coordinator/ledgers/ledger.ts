import type { Command, StoredSnapshot, TrainingSpec } from '../scheduler/types.js';

/** How a training ended. */
export type TrainingEnd =
  | { readonly kind: 'finished'; readonly step: number }
  | { readonly kind: 'cancelled'; readonly step: number }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

export interface CommitRecord {
  readonly training: string;
  readonly epoch: number;
  readonly step: number;
  readonly engine: string;
  /** The newest, of `step`, first. */
  readonly snapshots: readonly StoredSnapshot[];
}

/** Callbacks of the ledger into the coordinator. */
export interface LedgerListener {
  /** A training was claimed: train it. */
  onClaimed(spec: TrainingSpec): void;
  onCancel(training: string): void;
  /** Another coordinator has it now: nothing of it may be written any more. */
  onLeaseLost(training: string, lease: number): void;
}

/**
 * Where trainings come from, and where their state is recorded: a folder (`folder.ts`) or Postgres
 * (`postgres.ts`). Every claim has a lease with a number larger than all before it.
 */
export interface Ledger {
  start(listener: LedgerListener): Promise<void>;
  /** Records which snapshots to continue from, then deletes older ones. @throws ImplicamError `lease-lost` */
  commit(record: CommitRecord): Promise<void>;
  /** Records how a training ended, and gives up its lease. */
  end(training: string, end: TrainingEnd): Promise<void>;
  /** Called with every command of the scheduler: what is shown to those who follow a training comes from here. */
  onCommand?(command: Command): void;
  /** Gives all leases back, so that another coordinator need not wait for them to run out. */
  close(): Promise<void>;
}
