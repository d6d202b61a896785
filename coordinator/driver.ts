import { ImplicamError } from '../model/errors.js';
import type { AttachRequest__Output } from '../proto/types/implicam/v1/AttachRequest.js';
import type { Hello__Output } from '../proto/types/implicam/v1/Hello.js';
import type { CommitRecord, Ledger, LedgerListener, SessionEnd } from './ledger.js';
import type { RunnerListener, RunnerStreams } from './runner-streams.js';
import type { SchedulerOptions } from './scheduler/options.js';
import { createScheduler, step } from './scheduler/scheduler.js';
import type { Command, Event, SessionSpec } from './scheduler/types.js';
import type { StatusBoard } from './status-board.js';
import { joinedEvent, orderMessage, reportEvent } from './translate.js';

export interface DriverParts {
  readonly ledger: Ledger;
  readonly board: StatusBoard;
  readonly streams: RunnerStreams;
  /** Told of every command, for metrics and logs. */
  readonly observe: (command: Command) => void;
  readonly log: (line: string) => void;
}

/**
 * Carries out what the scheduler decides: turns streams, timers and the ledger into events, and commands into messages,
 * timers and writes. It decides nothing itself.
 */
export class Driver implements RunnerListener, LedgerListener {
  private readonly state;
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private parts: DriverParts | undefined;
  private closed = false;

  constructor(options: Partial<SchedulerOptions> = {}) {
    this.state = createScheduler(options);
  }

  start(parts: DriverParts): void {
    this.parts = parts;
  }

  onJoined(hello: Hello__Output): void {
    this.parts?.log(`runner ${hello.runner} joined: ${hello.device}`);
    this.dispatch(joinedEvent(hello));
  }

  onReport(runner: string, message: AttachRequest__Output): void {
    const event = reportEvent(runner, message);
    if (event) this.dispatch(event);
  }

  onLost(runner: string, reason: 'ended' | 'silent'): void {
    this.parts?.log(`runner ${runner} is lost: its stream ${reason === 'ended' ? 'ended' : 'fell silent'}`);
    this.dispatch({ type: 'runnerLost', runner, reason });
  }

  onLeaseLost(session: string, lease: number): void {
    this.dispatch({ type: 'leaseLost', session, lease });
  }

  onClaimed(spec: SessionSpec): void {
    this.parts?.board.claimed(spec);
    this.parts?.log(`session ${spec.id} claimed at step ${spec.durableStep} of ${spec.steps}`);
    this.dispatch({ type: 'sessionSubmitted', spec });
  }

  onCancel(session: string): void {
    this.dispatch({ type: 'sessionCancelled', session });
  }

  close(): void {
    this.closed = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }

  private dispatch(event: Event): void {
    if (this.closed || !this.parts) return;
    for (const command of step(this.state, event)) {
      this.parts.board.heed(command);
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
        log(`session ${command.session} from step ${command.step} on ${on}: ${command.why}`);
        break;
      }
      case 'waiting':
        log(`session ${command.session} waits: ${command.message}`);
        break;
      case 'finished':
        this.end(command.session, { kind: 'finished', step: command.step });
        break;
      case 'cancelled':
        this.end(command.session, { kind: 'cancelled', step: command.step });
        break;
      case 'failed':
        this.end(command.session, { kind: 'failed', code: command.code, message: command.message });
        break;
      case 'progress':
      case 'dropped':
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
    const { session, epoch, step: at } = record;
    const { ledger, board, log } = this.parts!;
    try {
      await ledger.commit(record);
      board.committed(session, at);
      this.dispatch({ type: 'committed', session, epoch, step: at });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      log(`session ${session}: the snapshot of step ${at} was not committed: ${message}`);
      if (error instanceof ImplicamError && error.code === 'lease-lost') {
        this.dispatch({ type: 'leaseLost', session, lease: Number.MAX_SAFE_INTEGER });
      } else {
        this.dispatch({ type: 'commitFailed', session, epoch, step: at, message });
      }
    }
  }

  private end(session: string, end: SessionEnd): void {
    const { ledger, log } = this.parts!;
    log(
      `session ${session} ${end.kind}${end.kind === 'failed' ? `: ${end.message}` : ` at step ${end.step}`}`,
    );
    ledger
      .end(session, end)
      .catch((error) => log(`session ${session}: its end was not written down: ${error}`));
  }
}
