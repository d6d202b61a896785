import { Metadata, type ServerDuplexStream, status } from '@grpc/grpc-js';
import { ImplicamError } from '../../model/errors.js';
import { CHANNEL_OPTIONS, type ChannelSecurity, channelCredentials } from '../../proto/channel.js';
import { wire } from '../../proto/load.js';
import type { ExchangeRequest__Output } from '../../proto/types/implicam/v1/ExchangeRequest.js';
import type { ExchangeResponse } from '../../proto/types/implicam/v1/ExchangeResponse.js';
import type { PeerServiceClient } from '../../proto/types/implicam/v1/PeerService.js';
import { BufferPool } from './buffer-pool.js';
import { PeerLink, type ValueName, valueKey } from './peer-link.js';

export interface Peer {
  readonly runner: string;
  readonly address: string;
}

/** How long to wait for a peer to be there, in milliseconds. */
const CONNECT = 10_000;

/** Channels to peers and epochs of trainings that are remembered; those that were used longest ago go first. */
const LARGEST_CLIENTS = 128;
const LARGEST_EPOCHS = 1024;

/** Values that came before they were asked for, in bytes over all trainings: peers are at most one step ahead. */
const INBOX_BYTES = 512 * 2 ** 20;

interface Waiter {
  readonly peer: string;
  readonly resolve: (bytes: Buffer) => void;
  readonly reject: (error: ImplicamError) => void;
}

/**
 * All streams of this runner to its peers, one a pair whatever the number of trainings, and the values that come over
 * them. Values of an epoch below the present one of their training are dropped: they belong to an earlier placement.
 */
export class PeerLinks {
  private readonly self: string;
  private readonly security: ChannelSecurity;
  private readonly links = new Map<string, PeerLink>();
  private readonly clients = new Map<string, PeerServiceClient>();
  private readonly expected = new Map<string, Set<() => void>>();
  private readonly dialling = new Map<string, Promise<void>>();
  private readonly waiters = new Map<string, Waiter>();
  private readonly inbox = new Map<string, { bytes: Buffer; name: ValueName }>();
  private readonly watchers = new Map<string, Set<(failure: ImplicamError) => void>>();
  private readonly epochs = new Map<string, number>();
  private inboxBytes = 0;
  private readonly memory = new BufferPool();
  /** Bytes of values sent and received, for the metrics. */
  traffic = { sent: 0, received: 0 };

  constructor(self: string, security: ChannelSecurity) {
    this.self = self;
    this.security = security;
  }

  /** A client of a peer's services. Channels are kept: a new connection costs more than a step. */
  client({ runner, address }: Peer): PeerServiceClient {
    const key = `${runner}@${address}`;
    const client =
      this.clients.get(key) ??
      new (wire().PeerService)(address, channelCredentials(this.security), CHANNEL_OPTIONS);
    this.clients.delete(key);
    this.clients.set(key, client);
    if (this.clients.size > LARGEST_CLIENTS) this.forgetClient();
    return client;
  }

  /** Takes a stream that a peer opened. */
  accept(stream: ServerDuplexStream<ExchangeRequest__Output, ExchangeResponse>): void {
    const [from] = stream.metadata.get('implicam-from');
    const [to] = stream.metadata.get('implicam-to');
    if (typeof from !== 'string' || to !== this.self) {
      stream.emit('error', {
        code: status.FAILED_PRECONDITION,
        details: `this is runner ${this.self}, not ${to}`,
      });
      return;
    }
    // The opener waits for this: only now is it certain that the right process is at the other end.
    stream.sendMetadata(new Metadata());
    this.adopt(from, stream);
    for (const wake of this.expected.get(from) ?? []) wake();
  }

  /**
   * Makes sure that there is a stream to the peer. The runner whose id sorts first opens it, the other one waits.
   *
   * @throws ImplicamError `peer-lost` where there is none within 10 s
   */
  async connect(peer: Peer): Promise<void> {
    if (this.links.has(peer.runner)) return;
    if (this.self > peer.runner) return this.expectInbound(peer);
    let dial = this.dialling.get(peer.runner);
    if (!dial) {
      dial = this.dial(peer).finally(() => this.dialling.delete(peer.runner));
      this.dialling.set(peer.runner, dial);
    }
    return dial;
  }

  /** @throws ImplicamError `peer-lost` where the stream is gone */
  async send(peer: string, name: ValueName, bytes: Uint8Array): Promise<void> {
    const link = this.links.get(peer);
    if (!link) throw lost(peer, 'there is none');
    this.traffic.sent += bytes.length;
    await link.send(name, bytes);
  }

  /**
   * Waits for a value from a peer.
   *
   * @throws ImplicamError `peer-lost` when the stream breaks or nothing has come by the deadline; `aborted` with the signal
   */
  receive(peer: string, name: ValueName, deadlineMs: number, signal: AbortSignal): Promise<Buffer> {
    const key = valueKey(name);
    const there = this.inbox.get(key);
    if (there) {
      this.inbox.delete(key);
      this.inboxBytes -= there.bytes.length;
      return Promise.resolve(there.bytes);
    }
    if (!this.links.has(peer)) return Promise.reject(lost(peer, 'there is none'));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => settle(() => reject(lost(peer, `nothing came for ${Math.round(deadlineMs / 1000)} s`))),
        deadlineMs,
      );
      const abort = () => settle(() => reject(new ImplicamError('aborted', 'the wait for a peer was ended')));
      const settle = (then: () => void) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        this.waiters.delete(key);
        then();
      };
      if (signal.aborted)
        return settle(() => reject(new ImplicamError('aborted', 'the wait for a peer was ended')));
      signal.addEventListener('abort', abort, { once: true });
      this.waiters.set(key, {
        peer,
        resolve: (bytes) => settle(() => resolve(bytes)),
        reject: (error) => settle(() => reject(error)),
      });
    });
  }

  /** Calls back once when the stream to a peer ends, at once where there is none; the result ends the watch. */
  watch(peer: string, onLost: (failure: ImplicamError) => void): () => void {
    if (!this.links.has(peer)) {
      onLost(lost(peer, 'there is none'));
      return () => undefined;
    }
    const watchers = this.watchers.get(peer) ?? new Set();
    this.watchers.set(peer, watchers.add(onLost));
    return () => {
      watchers.delete(onLost);
      if (watchers.size === 0 && this.watchers.get(peer) === watchers) this.watchers.delete(peer);
    };
  }

  /** A value that `receive` gave is not needed any more: its memory is used for another. */
  release(bytes: Buffer): void {
    this.memory.giveBack(bytes);
  }

  /** From now on values of this training below the epoch are dropped. */
  enterEpoch(training: string, epoch: number): void {
    this.remember(training, epoch);
    this.purge((name) => name.training === training && name.epoch < epoch);
  }

  /** The training is not hosted here any more: values of its epoch are dropped, too. */
  leaveEpoch(training: string): void {
    this.remember(training, (this.epochs.get(training) ?? 0) + 1);
    this.purge((name) => name.training === training);
  }

  close(): void {
    for (const link of [...this.links.values()]) link.close();
    for (const client of this.clients.values()) client.close();
    this.clients.clear();
  }

  private remember(training: string, epoch: number): void {
    this.epochs.delete(training);
    this.epochs.set(training, epoch);
    const [oldest] = this.epochs.keys();
    if (this.epochs.size > LARGEST_EPOCHS) this.epochs.delete(oldest);
  }

  /** Closes the channel that was used longest ago and carries no stream: its runner is most likely gone. */
  private forgetClient(): void {
    for (const [key, client] of this.clients) {
      if (this.links.has(key.slice(0, key.indexOf('@')))) continue;
      this.clients.delete(key);
      client.close();
      return;
    }
  }

  private adopt(peer: string, stream: ConstructorParameters<typeof PeerLink>[1]): void {
    const old = this.links.get(peer);
    if (old) {
      // The peer has closed the old stream; what was on its way is lost.
      this.drop(old, lost(peer, 'it reconnected'));
      old.close();
    }
    const link = new PeerLink(
      peer,
      stream,
      this.memory,
      (name, bytes) => this.deliver(peer, name, bytes),
      (broken, failure) => this.drop(broken, failure),
    );
    this.links.set(peer, link);
  }

  /** Forgets a stream, unless another has taken its place: then who waits, waits for that one. */
  private drop(link: PeerLink, failure: ImplicamError): void {
    const { peer } = link;
    if (this.links.get(peer) !== link) return;
    this.links.delete(peer);
    for (const waiter of [...this.waiters.values()]) if (waiter.peer === peer) waiter.reject(failure);
    const watchers = this.watchers.get(peer) ?? [];
    this.watchers.delete(peer);
    for (const onLost of watchers) onLost(failure);
  }

  private dial(peer: Peer): Promise<void> {
    const metadata = new Metadata();
    metadata.set('implicam-from', this.self);
    metadata.set('implicam-to', peer.runner);
    const stream = this.client(peer).exchange(metadata);
    return new Promise((resolve, reject) => {
      let settled = false;
      const timer = setTimeout(() => {
        stream.cancel();
        finish(lost(peer.runner, 'it did not answer'));
      }, CONNECT);
      const finish = (failure?: ImplicamError) => {
        if (settled) return;
        settled = true;
        clearTimeout(timer);
        if (failure) return reject(failure);
        this.adopt(peer.runner, stream);
        resolve();
      };
      stream.on('metadata', () => finish());
      stream.on('error', (error: Error) => finish(lost(peer.runner, error.message)));
    });
  }

  private expectInbound({ runner }: Peer): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting = this.expected.get(runner) ?? new Set();
      this.expected.set(runner, waiting);
      const settle = (then: () => void) => {
        clearTimeout(timer);
        waiting.delete(wake);
        if (waiting.size === 0) this.expected.delete(runner);
        then();
      };
      const wake = () => settle(resolve);
      const timer = setTimeout(() => settle(() => reject(lost(runner, 'it did not come'))), CONNECT);
      waiting.add(wake);
    });
  }

  private deliver(peer: string, name: ValueName, bytes: Buffer): void {
    this.traffic.received += bytes.length;
    if (name.epoch < (this.epochs.get(name.training) ?? 0)) {
      this.release(bytes);
      return;
    }
    const key = valueKey(name);
    const waiter = this.waiters.get(key);
    if (waiter?.peer === peer) {
      waiter.resolve(bytes);
      return;
    }
    this.inbox.set(key, { bytes, name });
    this.inboxBytes += bytes.length;
    // The oldest belong to trainings that this runner does not host yet, and perhaps never will.
    for (const [old, value] of this.inbox) {
      if (this.inboxBytes <= INBOX_BYTES) break;
      this.inbox.delete(old);
      this.inboxBytes -= value.bytes.length;
    }
  }

  private purge(of: (name: ValueName) => boolean): void {
    for (const [key, { bytes, name }] of this.inbox) {
      if (!of(name)) continue;
      this.inbox.delete(key);
      this.inboxBytes -= bytes.length;
    }
  }
}

function lost(peer: string, why: string): ImplicamError {
  return new ImplicamError('peer-lost', `no connection to runner ${peer}: ${why}`, { status: 503 });
}
