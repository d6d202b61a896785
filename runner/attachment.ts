import type { ClientDuplexStream } from '@grpc/grpc-js';
import { ImplicamError } from '../model/errors.js';
import { CHANNEL_OPTIONS, type ChannelSecurity, channelCredentials } from '../proto/channel.js';
import { wire } from '../proto/load.js';
import type { AttachRequest } from '../proto/types/implicam/v1/AttachRequest.js';
import type { AttachResponse__Output } from '../proto/types/implicam/v1/AttachResponse.js';
import type { Hello } from '../proto/types/implicam/v1/Hello.js';

export interface AttachmentOptions {
  /** host:port of the coordinator. */
  readonly coordinator: string;
  readonly security: ChannelSecurity;
  /** The first message on each new stream. */
  readonly hello: () => Hello;
  readonly onCommand: (command: AttachResponse__Output) => void;
  /** The stream is gone; another one will be tried. */
  readonly onLost: (why: string) => void;
  readonly onAttached: () => void;
}

type Stream = ClientDuplexStream<AttachRequest, AttachResponse__Output>;

/** How long to wait for `welcome`, in milliseconds. */
const WELCOME = 5000;
/** Waits between attempts, in milliseconds. The coordinator counts on the longest one (JOIN_GRACE in coordinator/driver.ts). */
const RETRY = [100, 200, 400, 800, 1000];
/** If a timer fires this late, this process was stopped, not its peer. In milliseconds. */
const LATE = 1000;

/** Keeps a stream to the coordinator: connects, sends `hello` and heartbeats, detects silence, and reconnects. */
export class Attachment {
  private readonly options: AttachmentOptions;
  private stream: Stream | undefined;
  private attached = false;
  private failures = 0;
  private closed = false;
  private retry: NodeJS.Timeout | undefined;
  private silence: NodeJS.Timeout | undefined;
  private heartbeat: NodeJS.Timeout | undefined;
  private silenceMs = WELCOME;

  constructor(options: AttachmentOptions) {
    this.options = options;
    this.connect();
  }

  /** Sends a report. Without a stream it is dropped: the coordinator has ended the epoch that it is about. */
  report(report: AttachRequest): void {
    if (this.attached) this.stream?.write(report);
  }

  get isAttached(): boolean {
    return this.attached;
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.retry);
    this.end('closed');
  }

  private connect(): void {
    const { coordinator, security, hello } = this.options;
    const client = new (wire().CoordinationService)(
      coordinator,
      channelCredentials(security),
      CHANNEL_OPTIONS,
    );
    const stream = client.attach();
    this.stream = stream;
    const lost = (why: string) => {
      client.close();
      if (this.stream === stream) this.end(why);
    };
    stream.on('data', (command: AttachResponse__Output) => {
      if (this.stream === stream) this.onMessage(command);
    });
    stream.on('error', (error: Error) => lost(error.message));
    stream.on('end', () => lost('the coordinator ended the stream'));
    this.silenceMs = WELCOME;
    this.restartSilenceTimer();
    stream.write({ hello: hello() });
  }

  private onMessage(command: AttachResponse__Output): void {
    this.restartSilenceTimer();
    if (command.welcome) {
      const { heartbeatMs, silenceMs } = command.welcome;
      this.silenceMs = silenceMs;
      this.heartbeat = setInterval(() => this.stream?.write({ heartbeat: {} }), heartbeatMs);
      this.attached = true;
      this.failures = 0;
      this.restartSilenceTimer();
      this.options.onAttached();
    } else if (!command.heartbeat) {
      this.options.onCommand(command);
    }
  }

  private restartSilenceTimer(ms = this.silenceMs): void {
    clearTimeout(this.silence);
    const due = performance.now() + ms;
    this.silence = setTimeout(() => {
      // This process was stopped for a while and has yet to read what arrived meanwhile.
      if (performance.now() > due + LATE) this.restartSilenceTimer(LATE);
      else this.end(`nothing came from the coordinator for ${this.silenceMs / 1000} s`);
    }, ms);
  }

  private end(why: string): void {
    const { stream } = this;
    this.stream = undefined;
    const wasAttached = this.attached;
    this.attached = false;
    clearTimeout(this.silence);
    clearInterval(this.heartbeat);
    stream?.cancel();
    if (this.closed) return;
    if (wasAttached || this.failures === 0) this.options.onLost(why);
    const wait = RETRY[Math.min(this.failures++, RETRY.length - 1)];
    this.retry = setTimeout(() => this.connect(), wait);
  }
}

/** Checks a field of a command: it is missing only if the coordinator has another version. */
export function required<T>(value: T | null | undefined, what: string): T {
  if (value !== null && value !== undefined) return value;
  throw new ImplicamError('protocol', `the coordinator sent a command without ${what}`);
}
