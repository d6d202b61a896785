import { ImplicamError } from '../model/errors.js';
import type { AttachRequest__Output } from '../proto/types/implicam/v1/AttachRequest.js';
import type { Hello__Output } from '../proto/types/implicam/v1/Hello.js';
import type { CommitRecord, Ledger, LedgerListener, SessionEnd } from './ledgers/ledger.js';
import type { SchedulerOptions } from './scheduler/options.js';
import { createScheduler, step } from './scheduler/scheduler.js';
import type { Command, Event, SessionSpec } from './scheduler/types.js';
import type { StatusBoard } from './status-board.js';
import type { RunnerListener, RunnerStreams } from './wire/runner-streams.js';
import { describeDamage, joinedEvent, orderMessage, reportEvent } from './wire/translate.js';

export interface DriverParts {
  readonly ledger: Ledger;
  readonly board: StatusBoard;
  readonly streams: RunnerStreams;
  /** Told of every command, for metrics and logs. */
  readonly observe: (command: Command) => void;
  readonly log: (line: string) => void;
}

/**
 * Once nobody was attached, sessions wait this long after the first runner that attaches for the others that lost us at the
 * same time, in milliseconds: between them they hold a newer snapshot than any one of them. Longer than a runner waits
 * between two attempts (runner/attachment.ts).
 */
const GATHER = 1500;

/**
 * Carries out what the scheduler decides: turns streams, timers and the ledger into events, and commands into messages,
 * timers and writes. It decides nothing itself.
 */
export class Driver implements RunnerListener, LedgerListener {
  private readonly state;
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private parts: DriverParts | undefined;
  private closed = false;
  private readonly joined = new Set<string>();
  private readonly unfinished = new Set<string>();
  private readonly gathered = new Map<string, Hello__Output>();
  private gathering: NodeJS.Timeout | undefined;

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
    this.gathered.set(hello.runner, hello);
    this.gathering ??= setTimeout(() => {
      this.gathering = undefined;
      const all = [...this.gathered.values()];
      this.gathered.clear();
      for (const one of all) this.join(one);
    }, GATHER);
  }

  onReport(runner: string, message: AttachRequest__Output): void {
    const waiting = this.gathered.get(runner);
    if (waiting && message.draining) this.gathered.set(runner, { ...waiting, draining: true });
    const event = reportEvent(runner, message);
    if (event) this.dispatch(event);
  }

  onLost(runner: string, reason: 'ended' | 'silent'): void {
    this.parts?.log(`runner ${runner} is lost: its stream ${reason === 'ended' ? 'ended' : 'fell silent'}`);
    this.gathered.delete(runner);
    this.joined.delete(runner);
    this.dispatch({ type: 'runnerLost', runner, reason });
  }

  onLeaseLost(session: string, lease: number): void {
    this.dispatch({ type: 'leaseLost', session, lease });
  }

  onClaimed(spec: SessionSpec): void {
    this.parts?.board.claimed(spec);
    this.unfinished.add(spec.id);
    this.parts?.log(`session ${spec.id} claimed at step ${spec.stored[0]!.step} of ${spec.steps}`);
    this.dispatch({ type: 'sessionSubmitted', spec });
  }

  onCancel(session: string): void {
    this.dispatch({ type: 'sessionCancelled', session });
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.gathering);
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
      case 'damaged':
        log(`session ${command.session}: ${describeDamage(command)}`);
        break;
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
      case 'dropped':
        this.unfinished.delete(command.session);
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
    this.unfinished.delete(session);
    const { ledger, log } = this.parts!;
    log(
      `session ${session} ${end.kind}${end.kind === 'failed' ? `: ${end.message}` : ` at step ${end.step}`}`,
    );
    ledger
      .end(session, end)
      .catch((error) => log(`session ${session}: its end was not written down: ${error}`));
  }
}
