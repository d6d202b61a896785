import type { TrainingStatus } from '../proto/types/implicam/v1/TrainingStatus.js';
import type { Command, TrainingSpec } from './scheduler/types.js';

export type Status = Required<Omit<TrainingStatus, 'training'>> & { readonly training: string };

/** Trainings whose end is remembered for late watchers. */
const REMEMBERED = 1000;

type Watcher = (status: Status) => void;

/** The status of each training, for watchers: folded from the scheduler's commands. */
export class StatusBoard {
  private readonly statuses = new Map<string, Status>();
  private readonly watchers = new Map<string, Set<Watcher>>();

  get(training: string): Status | undefined {
    return this.statuses.get(training);
  }

  claimed(spec: TrainingSpec): void {
    const { step } = spec.stored[0];
    this.set({
      training: spec.id,
      phase: 'TRAINING_PHASE_WAITING',
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

  /** Folds a command of the scheduler into the status. */
  onCommand(command: Command): void {
    if (!('training' in command)) return;
    const status = this.statuses.get(command.training);
    if (!status) return;
    switch (command.type) {
      case 'waiting':
        this.set({
          ...status,
          phase: 'TRAINING_PHASE_WAITING',
          reason: command.message,
          rate: 0,
          runners: [],
        });
        break;
      case 'placed': {
        const again = status.runners.length > 0 || status.phase === 'TRAINING_PHASE_TRAINING';
        this.set({
          ...status,
          phase: 'TRAINING_PHASE_PLACING',
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
          phase: 'TRAINING_PHASE_TRAINING',
          reason: '',
          step: command.step,
          loss: command.loss,
          psnr: command.psnr,
          rate: command.stepsPerSecond,
        });
        break;
      case 'finished':
        this.set({ ...status, phase: 'TRAINING_PHASE_FINISHED', reason: '', durableStep: command.step });
        break;
      case 'failed':
        this.set({ ...status, phase: 'TRAINING_PHASE_FAILED', reason: command.message });
        break;
      case 'cancelled':
        this.set({ ...status, phase: 'TRAINING_PHASE_CANCELLED', reason: '', durableStep: command.step });
        break;
      case 'dropped':
        this.set({
          ...status,
          phase: 'TRAINING_PHASE_WAITING',
          reason: 'another coordinator has taken the training over',
        });
        break;
    }
  }

  committed(training: string, step: number): void {
    const status = this.statuses.get(training);
    if (status) this.set({ ...status, durableStep: step });
  }

  /** Calls at once where something is known, then at each change; returns what ends that. */
  watch(training: string, watcher: Watcher): () => void {
    const watchers = this.watchers.get(training) ?? new Set();
    this.watchers.set(training, watchers.add(watcher));
    const status = this.statuses.get(training);
    if (status) watcher(status);
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0) this.watchers.delete(training);
    };
  }

  private set(status: Status): void {
    this.statuses.delete(status.training);
    this.statuses.set(status.training, status);
    for (const watcher of [...(this.watchers.get(status.training) ?? [])]) watcher(status);
  }

  private trim(): void {
    for (const [training, { phase }] of this.statuses) {
      if (this.statuses.size <= REMEMBERED) break;
      if (isOver(phase)) this.statuses.delete(training);
    }
  }
}

export function isOver(phase: Status['phase']): boolean {
  return (
    phase === 'TRAINING_PHASE_FINISHED' ||
    phase === 'TRAINING_PHASE_FAILED' ||
    phase === 'TRAINING_PHASE_CANCELLED'
  );
}
