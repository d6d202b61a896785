import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { parseAddress } from '../../proto/channel.js';
import type { Peer } from '../../runner/exchange/peer-links.js';

/** Moves values to and from peers. */
export interface Transport {
  send(to: string, step: number, root: boolean, bytes: Uint8Array): Promise<void>;
  receive(from: string, step: number, root: boolean): Promise<Uint8Array>;
}

/** What is the least that an exchange could cost: one TCP connection a pair, values after their length, nothing else. */
export class BareMesh implements Transport {
  private readonly self: string;
  private readonly links = new Map<string, BareLink>();
  private readonly expected = new Map<string, (link: BareLink) => void>();

  constructor(self: string) {
    this.self = self;
  }

  async listen(): Promise<number> {
    const server = createServer((socket) => {
      socket.once('data', (hello) => {
        const link = new BareLink(socket);
        const from = hello.toString();
        this.links.set(from, link);
        this.expected.get(from)?.(link);
        socket.write('!');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as { port: number }).port;
  }

  async connect({ runner, address }: Peer): Promise<void> {
    if (this.self > runner) {
      if (!this.links.has(runner)) {
        await new Promise<BareLink>((resolve) => this.expected.set(runner, resolve));
      }
      return;
    }
    const { host, port } = parseAddress(address);
    const socket = connect(port, host);
    await once(socket, 'connect');
    socket.write(this.self);
    await once(socket, 'data');
    this.links.set(runner, new BareLink(socket));
  }

  send(to: string, _step: number, _root: boolean, bytes: Uint8Array): Promise<void> {
    return this.links.get(to)!.send(bytes);
  }

  receive(from: string): Promise<Uint8Array> {
    return this.links.get(from)!.receive();
  }
}

class BareLink {
  private readonly socket: Socket;
  private readonly values: Buffer[] = [];
  private readonly waiters: ((value: Buffer) => void)[] = [];
  private head = Buffer.alloc(0);
  private value: Buffer | undefined;
  private filled = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.take(chunk));
  }

  async send(bytes: Uint8Array): Promise<void> {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    this.socket.cork();
    this.socket.write(length);
    const room = this.socket.write(bytes);
    this.socket.uncork();
    if (!room) await once(this.socket, 'drain');
  }

  receive(): Promise<Buffer> {
    const there = this.values.shift();
    if (there) return Promise.resolve(there);
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  private take(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (!this.value) {
        const missing = 4 - this.head.length;
        this.head = Buffer.concat([this.head, chunk.subarray(at, at + missing)]);
        at += missing;
        if (this.head.length < 4) return;
        this.value = Buffer.allocUnsafe(this.head.readUInt32LE());
        this.filled = 0;
        this.head = Buffer.alloc(0);
      }
      const count = Math.min(chunk.length - at, this.value.length - this.filled);
      chunk.copy(this.value, this.filled, at, at + count);
      this.filled += count;
      at += count;
      if (this.filled < this.value.length) return;
      const { value } = this;
      this.value = undefined;
      const waiter = this.waiters.shift();
      if (waiter) waiter(value);
      else this.values.push(value);
    }
  }
}
