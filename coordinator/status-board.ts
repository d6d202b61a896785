import type { SessionStatus } from '../proto/types/implicam/v1/SessionStatus.js';
import type { Command, SessionSpec } from './scheduler/types.js';

export type Status = Required<Omit<SessionStatus, 'session'>> & { readonly session: string };

/** Sessions whose end is remembered, for watchers that come late. */
const REMEMBERED = 1000;

type Watcher = (status: Status) => void;

/** What is known of each session, for those who watch: folded from the scheduler's commands. */
export class StatusBoard {
  private readonly statuses = new Map<string, Status>();
  private readonly watchers = new Map<string, Set<Watcher>>();

  get(session: string): Status | undefined {
    return this.statuses.get(session);
  }

  claimed(spec: SessionSpec): void {
    const { step } = spec.stored[0]!;
    this.set({
      session: spec.id,
      phase: 'SESSION_PHASE_WAITING',
      reason: '',
      step,
      steps: spec.steps,
      loss: 0,
      psnr: 0,
      rate: 0,
      runners: [],
      recoveries: 0,
      durableStep: step,
    });
    this.trim();
  }

  /** Takes in what the scheduler decided. */
  heed(command: Command): void {
    if (!('session' in command)) return;
    const status = this.statuses.get(command.session);
    if (!status) return;
    switch (command.type) {
      case 'waiting':
        this.set({
          ...status,
          phase: 'SESSION_PHASE_WAITING',
          reason: command.message,
          rate: 0,
          runners: [],
        });
        break;
      case 'placed': {
        const again = status.runners.length > 0 || status.phase === 'SESSION_PHASE_TRAINING';
        this.set({
          ...status,
          phase: 'SESSION_PHASE_PLACING',
          reason: command.why,
          step: command.step,
          runners: command.placement.map((m) => m.runner),
          recoveries: status.recoveries + (again ? 1 : 0),
        });
        break;
      }
      case 'progress':
        this.set({
          ...status,
          phase: 'SESSION_PHASE_TRAINING',
          reason: '',
          step: command.step,
          loss: command.loss,
          psnr: command.psnr,
          rate: command.stepsPerSecond,
        });
        break;
      case 'finished':
        this.set({ ...status, phase: 'SESSION_PHASE_FINISHED', reason: '', durableStep: command.step });
        break;
      case 'failed':
        this.set({ ...status, phase: 'SESSION_PHASE_FAILED', reason: command.message });
        break;
      case 'cancelled':
        this.set({ ...status, phase: 'SESSION_PHASE_CANCELLED', reason: '', durableStep: command.step });
        break;
      case 'dropped':
        this.set({
          ...status,
          phase: 'SESSION_PHASE_WAITING',
          reason: 'another coordinator has taken the session over',
        });
        break;
    }
  }

  committed(session: string, step: number): void {
    const status = this.statuses.get(session);
    if (status) this.set({ ...status, durableStep: step });
  }

  /** Calls at once where something is known, then at each change; returns what ends that. */
  watch(session: string, watcher: Watcher): () => void {
    const watchers = this.watchers.get(session) ?? new Set();
    this.watchers.set(session, watchers.add(watcher));
    const status = this.statuses.get(session);
    if (status) watcher(status);
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0) this.watchers.delete(session);
    };
  }

  private set(status: Status): void {
    this.statuses.delete(status.session);
    this.statuses.set(status.session, status);
    for (const watcher of [...(this.watchers.get(status.session) ?? [])]) watcher(status);
  }

  private trim(): void {
    for (const [session, { phase }] of this.statuses) {
      if (this.statuses.size <= REMEMBERED) break;
      if (isOver(phase)) this.statuses.delete(session);
    }
  }
}

export function isOver(phase: Status['phase']): boolean {
  return (
    phase === 'SESSION_PHASE_FINISHED' ||
    phase === 'SESSION_PHASE_FAILED' ||
    phase === 'SESSION_PHASE_CANCELLED'
  );
}
