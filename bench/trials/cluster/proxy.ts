import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * What happens to bytes on their way.
 *
 * - `pass`: nothing.
 * - `refuse`: connections are cut at once, new ones too: a process that is gone, a firewall that rejects.
 * - `swallow`: connections stay, nothing arrives in either direction: a cable that was pulled.
 * - `swallowUp`, `swallowDown`: the same in one direction only, to the target or from it: half open.
 * - `delay`: every chunk arrives `delayMs` later.
 */
export type Weather = 'pass' | 'refuse' | 'swallow' | 'swallowUp' | 'swallowDown' | 'delay';

/** Bytes that wait for a slow reader or a delay, a connection and direction; beyond that reading pauses. */
const HELD = 1 << 20;

/** A TCP relay in front of one address that can be told to misbehave. */
export class TcpProxy {
  private readonly server: Server;
  private readonly target: number;
  private readonly pairs = new Set<readonly [Socket, Socket]>();
  private weather: Weather = 'pass';
  private delayMs = 0;

  private constructor(server: Server, target: number) {
    this.server = server;
    this.target = target;
    server.on('connection', (socket) => this.relay(socket));
  }

  /** Relays a free port of this machine to `target`. */
  static async start(target: number): Promise<TcpProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, target);
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as { port: number }).port}`;
  }

  /** Connections through it now. */
  get connections(): number {
    return this.pairs.size;
  }

  /** Changes the weather. What was swallowed never arrives: connections that lost bytes are cut when it clears. */
  set(weather: Weather, delayMs = 0): void {
    const lossy = this.weather.startsWith('swallow');
    this.weather = weather;
    this.delayMs = delayMs;
    if (weather === 'refuse' || lossy) this.cut();
  }

  /** Resets all connections, or one of them. */
  cut(index?: number): void {
    const all = [...this.pairs];
    for (const pair of index === undefined ? all : [all[index % all.length]]) {
      for (const socket of pair ?? []) socket.resetAndDestroy();
    }
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.cut();
    await closed;
  }

  private relay(socket: Socket): void {
    if (this.weather === 'refuse') {
      socket.resetAndDestroy();
      return;
    }
    const target = connect(this.target, '127.0.0.1');
    const pair = [socket, target] as const;
    this.pairs.add(pair);
    for (const end of pair) {
      end.setNoDelay(true);
      end.on('error', () => undefined);
      end.on('close', () => {
        this.pairs.delete(pair);
        for (const other of pair) if (!other.destroyed) other.destroy();
      });
    }
    this.pump(socket, target, 'swallowUp');
    this.pump(target, socket, 'swallowDown');
  }

  private pump(from: Socket, to: Socket, loss: Weather): void {
    // Delays must not overtake each other when they shrink: each chunk leaves no earlier than the one before.
    let due = 0;
    let waiting = 0;
    const write = (chunk: Buffer) => {
      if (to.destroyed) return;
      if (!to.write(chunk)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    };
    from.on('data', (chunk: Buffer) => {
      if (this.weather === 'swallow' || this.weather === loss) return;
      const now = performance.now();
      due = Math.max(due, now + (this.weather === 'delay' ? this.delayMs : 0));
      if (due <= now && waiting === 0) return write(chunk);
      waiting += chunk.length;
      if (waiting > HELD) from.pause();
      setTimeout(() => {
        waiting -= chunk.length;
        if (waiting <= HELD) from.resume();
        write(chunk);
      }, due - now);
    });
    from.on('end', () => {
      if (this.weather === 'pass' || this.weather === 'delay') to.end();
    });
  }
}
