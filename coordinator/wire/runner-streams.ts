import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { AttachRequest__Output } from '../../proto/types/implicam/v1/AttachRequest.js';
import type { AttachResponse } from '../../proto/types/implicam/v1/AttachResponse.js';
import type { Hello__Output } from '../../proto/types/implicam/v1/Hello.js';

type Stream = ServerDuplexStream<AttachRequest__Output, AttachResponse>;

/** Heartbeats, and the silence after which a runner counts as lost, in milliseconds. */
const HEARTBEAT = 2000;
const SILENCE = 8000;
const LATE = 1000;

export interface RunnerListener {
  onJoined(hello: Hello__Output): void;
  onReport(runner: string, report: AttachRequest__Output): void;
  onLost(runner: string, reason: 'ended' | 'silent'): void;
}

interface Connection {
  readonly hello: Hello__Output;
  readonly stream: Stream;
}

/** The runners that are attached: one stream each, watched for silence. */
export class RunnerStreams {
  private readonly version: string;
  private readonly listener: RunnerListener;
  private readonly connections = new Map<string, Connection>();

  constructor(version: string, listener: RunnerListener) {
    this.version = version;
    this.listener = listener;
  }

  /** Serves `attach`. */
  accept(stream: Stream): void {
    let runner: string | undefined;
    let silence: NodeJS.Timeout;
    let heartbeat: NodeJS.Timeout | undefined;
    let over = false;
    const end = (reason: 'ended' | 'silent') => {
      if (over) return;
      over = true;
      clearTimeout(silence);
      clearInterval(heartbeat);
      stream.end();
      if (runner !== undefined && this.connections.get(runner)?.stream === stream) {
        this.connections.delete(runner);
        this.listener.onLost(runner, reason);
      }
    };
    const listen = (ms = SILENCE) => {
      clearTimeout(silence);
      const due = performance.now() + ms;
      silence = setTimeout(() => {
        // If the timer is this late, this process itself was stopped, and messages that arrived meanwhile are still unread.
        if (performance.now() > due + LATE) listen(HEARTBEAT);
        else end('silent');
      }, ms);
    };
    listen();
    stream.on('data', (message: AttachRequest__Output) => {
      if (over) return;
      listen();
      if (runner !== undefined) {
        if (!message.heartbeat) this.listener.onReport(runner, message);
        return;
      }
      const { hello } = message;
      const refusal = this.refuse(hello);
      if (!hello || refusal) {
        over = true;
        clearTimeout(silence);
        stream.emit('error', { code: status.FAILED_PRECONDITION, details: refusal });
        return;
      }
      runner = hello.runner;
      this.replace(runner);
      this.connections.set(runner, { hello, stream });
      stream.write({ welcome: { heartbeatMs: HEARTBEAT, silenceMs: SILENCE } });
      heartbeat = setInterval(() => stream.write({ heartbeat: {} }), HEARTBEAT);
      this.listener.onJoined(hello);
    });
    stream.on('end', () => end('ended'));
    stream.on('cancelled', () => end('ended'));
    stream.on('error', () => end('ended'));
  }

  send(runner: string, command: AttachResponse): void {
    this.connections.get(runner)?.stream.write(command);
  }

  /** The `hello` of every attached runner. */
  all(): Hello__Output[] {
    return [...this.connections.values()].map(({ hello }) => hello);
  }

  close(): void {
    for (const { stream } of this.connections.values()) stream.end();
    this.connections.clear();
  }

  /** A runner that connects again has lost its old stream, even if that was not noticed here yet. */
  private replace(runner: string): void {
    const old = this.connections.get(runner);
    if (!old) return;
    this.connections.delete(runner);
    old.stream.end();
    this.listener.onLost(runner, 'ended');
  }

  private refuse(hello: Hello__Output | null | undefined): string | undefined {
    if (!hello) return 'the first report must be hello';
    if (hello.version === this.version) return undefined;
    return `runner ${hello.runner} is version ${hello.version}, this coordinator ${this.version}: use the same`;
  }
}
