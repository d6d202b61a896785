import { ImplicamError } from '../model/errors.js';
import type { AttachRequest__Output } from '../proto/types/implicam/v1/AttachRequest.js';
import type { Hello__Output } from '../proto/types/implicam/v1/Hello.js';
import type { CommitRecord, Ledger, LedgerListener, TrainingEnd } from './ledgers/ledger.js';
import type { SchedulerOptions } from './scheduler/options.js';
import { createScheduler, step } from './scheduler/scheduler.js';
import type { Command, Event, TrainingSpec } from './scheduler/types.js';
import type { StatusBoard } from './status-board.js';
import type { RunnerListener, RunnerStreams } from './wire/runner-streams.js';
import { describeDamage, joinedEvent, orderMessage, reportEvent } from './wire/translate.js';

export interface DriverParts {
  readonly ledger: Ledger;
  readonly board: StatusBoard;
  readonly streams: RunnerStreams;
  /** Called with every command, for metrics and logs. */
  readonly observe: (command: Command) => void;
  readonly log: (line: string) => void;
}

/**
 * Grace period for joins, in milliseconds. When no runner was attached, all lost this coordinator at the same time. After the
 * first one attaches, trainings wait this long for the others: together they hold a newer snapshot than any one of them.
 * It is longer than a runner waits between two attempts (runner/attachment.ts).
 */
const JOIN_GRACE = 1500;

/**
 * Does the I/O of the scheduler: turns streams, timers and the ledger into events, and commands into messages, timers and
 * writes. It makes no decisions itself.
 */
export class Driver implements RunnerListener, LedgerListener {
  private readonly state;
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private parts: DriverParts | undefined;
  private closed = false;
  private readonly joined = new Set<string>();
  private readonly unfinished = new Set<string>();
  private readonly pendingJoins = new Map<string, Hello__Output>();
  private joinTimer: NodeJS.Timeout | undefined;

  constructor(options: Partial<SchedulerOptions> = {}) {
    this.state = createScheduler(options);
  }

  start(parts: DriverParts): void {
    this.parts = parts;
  }

  onJoined(hello: Hello__Output): void {
    this.parts?.log(`runner ${hello.runner} joined: ${hello.device}`);
    if (this.joined.size > 0 || this.unfinished.size === 0) {
      this.join(hello);
      return;
    }
    this.pendingJoins.set(hello.runner, hello);
    this.joinTimer ??= setTimeout(() => {
      this.joinTimer = undefined;
      const all = [...this.pendingJoins.values()];
      this.pendingJoins.clear();
      for (const one of all) this.join(one);
    }, JOIN_GRACE);
  }

  onReport(runner: string, message: AttachRequest__Output): void {
    const waiting = this.pendingJoins.get(runner);
    if (waiting && message.draining) this.pendingJoins.set(runner, { ...waiting, draining: true });
    const event = reportEvent(runner, message);
    if (event) this.dispatch(event);
  }

  onLost(runner: string, reason: 'ended' | 'silent'): void {
    this.parts?.log(`runner ${runner} is lost: its stream ${reason === 'ended' ? 'ended' : 'fell silent'}`);
    this.pendingJoins.delete(runner);
    this.joined.delete(runner);
    this.dispatch({ type: 'runnerLost', runner, reason });
  }

  onLeaseLost(training: string, lease: number): void {
    this.dispatch({ type: 'leaseLost', training, lease });
  }

  onClaimed(spec: TrainingSpec): void {
    this.parts?.board.claimed(spec);
    this.unfinished.add(spec.id);
    this.parts?.log(`training ${spec.id} claimed at step ${spec.stored[0].step} of ${spec.steps}`);
    this.dispatch({ type: 'trainingSubmitted', spec });
  }

  onCancel(training: string): void {
    this.dispatch({ type: 'trainingCancelled', training });
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.joinTimer);
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }

  private join(hello: Hello__Output): void {
    this.joined.add(hello.runner);
    this.dispatch(joinedEvent(hello));
  }

  private dispatch(event: Event): void {
    if (this.closed || !this.parts) return;
    for (const command of step(this.state, event)) {
      this.parts.board.onCommand(command);
      this.parts.observe(command);
      this.carryOut(command);
    }
  }

  private carryOut(command: Command): void {
    const { streams, log } = this.parts!;
    switch (command.type) {
      case 'timer':
        this.startTimer(command.id, command.ms);
        break;
      case 'cancelTimer':
        clearTimeout(this.timers.get(command.id));
        this.timers.delete(command.id);
        break;
      case 'released':
        streams.send(command.runner, { released: {} });
        break;
      case 'commit':
        void this.commit(command);
        break;
      case 'placed': {
        const on = command.placement.map((m) => `${m.runner} (${m.shards.count})`).join(', ');
        log(`training ${command.training} from step ${command.step} on ${on}: ${command.why}`);
        break;
      }
      case 'damaged':
        log(`training ${command.training}: ${describeDamage(command)}`);
        break;
      case 'waiting':
        log(`training ${command.training} is waiting: ${command.message}`);
        break;
      case 'finished':
        this.end(command.training, { kind: 'finished', step: command.step });
        break;
      case 'cancelled':
        this.end(command.training, { kind: 'cancelled', step: command.step });
        break;
      case 'failed':
        this.end(command.training, { kind: 'failed', code: command.code, message: command.message });
        break;
      case 'dropped':
        this.unfinished.delete(command.training);
        break;
      case 'progress':
      case 'preview':
        break;
      default:
        streams.send(command.runner, orderMessage(command));
    }
  }

  private startTimer(id: string, ms: number): void {
    clearTimeout(this.timers.get(id));
    const timer = setTimeout(() => {
      this.timers.delete(id);
      this.dispatch({ type: 'timeout', id });
    }, ms);
    this.timers.set(id, timer);
  }

  private async commit(record: CommitRecord): Promise<void> {
    const { training, epoch, step: at } = record;
    const { ledger, board, log } = this.parts!;
    try {
      await ledger.commit(record);
      board.committed(training, at);
      this.dispatch({ type: 'committed', training, epoch, step: at });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      log(`training ${training}: the snapshot of step ${at} was not committed: ${message}`);
      if (error instanceof ImplicamError && error.code === 'lease-lost') {
        this.dispatch({ type: 'leaseLost', training, lease: Number.MAX_SAFE_INTEGER });
      } else {
        this.dispatch({ type: 'commitFailed', training, epoch, step: at, message });
      }
    }
  }

  private end(training: string, end: TrainingEnd): void {
    this.unfinished.delete(training);
    const { ledger, log } = this.parts!;
    log(
      `training ${training} ${end.kind}${end.kind === 'failed' ? `: ${end.message}` : ` at step ${end.step}`}`,
    );
    ledger
      .end(training, end)
      .catch((error) => log(`training ${training}: its end was not recorded: ${error}`));
  }
}
