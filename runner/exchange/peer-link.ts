import type { ClientDuplexStream, ServerDuplexStream } from '@grpc/grpc-js';
import { ImplicamError } from '../../model/errors.js';
import type {
  ExchangeRequest,
  ExchangeRequest__Output,
} from '../../proto/types/implicam/v1/ExchangeRequest.js';
import type {
  ExchangeResponse,
  ExchangeResponse__Output,
} from '../../proto/types/implicam/v1/ExchangeResponse.js';
import type { Piece__Output } from '../../proto/types/implicam/v1/Piece.js';
import { countGarbage } from '../garbage.js';
import type { BufferPool } from './buffer-pool.js';

/** Either end of an exchange stream: both sides send and receive the same message. */
export type ExchangeStream =
  | ClientDuplexStream<ExchangeRequest, ExchangeResponse__Output>
  | ServerDuplexStream<ExchangeRequest__Output, ExchangeResponse>;

/** Names one value that travels between two runners. */
export interface ValueName {
  readonly training: string;
  readonly epoch: number;
  readonly step: number;
  /** Name of the message: leftmost shard under the upper node of its sum. */
  readonly node: number;
  readonly lane: number;
  /** The sum of all shards on its way back. */
  readonly root: boolean;
  /** Not a sum, but a control message of the rendezvous before the first step (device-rendezvous.ts). */
  readonly control?: boolean;
}

export function valueKey({ training, epoch, step, node, lane, root, control }: ValueName): string {
  return `${training}/${epoch}/${step}/${lane}/${root ? 'root' : node}${control ? '/control' : ''}`;
}

/** Bytes a piece: large enough to be fast, small enough that streams share a connection fairly. */
const PIECE = 256 * 1024;

/** Largest value: a grid of 2^24 entries in single precision with its line numbers. */
const LARGEST_VALUE = 256 * 2 ** 20;

/** A live stream to one peer. Values are cut into pieces on one side and put together on the other. */
export class PeerLink {
  readonly peer: string;
  private readonly stream: ExchangeStream;
  private readonly memory: BufferPool;
  private readonly partial = new Map<string, { bytes: Buffer; filled: number }>();
  private sending: Promise<void> = Promise.resolve();
  private failure: ImplicamError | undefined;
  private readonly broken: (() => void)[] = [];

  /**
   * @param memory lends the memory that values of several pieces are put together in
   * @param onValue takes each whole value
   * @param onBroken called once, when the stream has ended for any reason
   */
  constructor(
    peer: string,
    stream: ExchangeStream,
    memory: BufferPool,
    onValue: (name: ValueName, bytes: Buffer) => void,
    onBroken: (link: PeerLink, failure: ImplicamError) => void,
  ) {
    this.peer = peer;
    this.stream = stream;
    this.memory = memory;
    const fail = (why: string) => {
      if (this.failure) return;
      this.failure = new ImplicamError('peer-lost', `the connection to runner ${peer} broke: ${why}`, {
        status: 503,
      });
      this.partial.clear();
      for (const wake of this.broken.splice(0)) wake();
      onBroken(this, this.failure);
    };
    stream.on('data', (message: ExchangeRequest__Output | ExchangeResponse__Output) => {
      const whole = message.piece && this.collect(message.piece, fail);
      if (whole) onValue(message.piece!, whole);
    });
    stream.on('error', (error: Error) => fail(error.message));
    stream.on('end', () => fail('it ended'));
    stream.on('close', () => fail('it closed'));
    // This event alone shows a server's stream that its client has died.
    (stream as NodeJS.EventEmitter).on('cancelled', () => fail('it was cancelled'));
  }

  /** Sends a value; resolves once the stream has taken all of it. Values are sent one after the other. */
  send(name: ValueName, bytes: Uint8Array): Promise<void> {
    const sent = this.sending.then(() => this.write(name, bytes));
    this.sending = sent.catch(() => undefined);
    return sent;
  }

  close(): void {
    if (this.failure) return;
    if ('cancel' in this.stream) this.stream.cancel();
    else this.stream.end();
  }

  private async write(name: ValueName, bytes: Uint8Array): Promise<void> {
    const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let offset = 0; offset < data.length || offset === 0; offset += PIECE) {
      if (this.failure) throw this.failure;
      const { training, epoch, step, node, lane, root, control = false } = name;
      const part = data.subarray(offset, offset + PIECE);
      const value = { training, epoch, step, node, lane, root, control };
      const piece = { ...value, total: data.length, offset, data: part };
      countGarbage(part.length);
      if (!this.stream.write({ piece })) await this.drained();
    }
  }

  private drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        this.stream.off('drain', settle);
        const at = this.broken.indexOf(settle);
        if (at >= 0) this.broken.splice(at, 1);
        if (this.failure) reject(this.failure);
        else resolve();
      };
      this.stream.once('drain', settle);
      this.broken.push(settle);
    });
  }

  /** Adds a piece to its value; the value, once it is whole. */
  private collect(piece: Piece__Output, fail: (why: string) => void): Buffer | undefined {
    const { total, offset, data } = piece;
    countGarbage(data.length);
    if (offset === 0 && data.length === total) return data;
    const key = valueKey(piece);
    let value = this.partial.get(key);
    if (!value && total <= LARGEST_VALUE && this.partial.size < 64) {
      value = { bytes: this.memory.lend(total), filled: 0 };
      this.partial.set(key, value);
    }
    if (!value || value.filled !== offset || offset + data.length > value.bytes.length) {
      fail('it sent pieces that do not fit together');
      this.close();
      return undefined;
    }
    data.copy(value.bytes, offset);
    value.filled += data.length;
    if (value.filled < value.bytes.length) return undefined;
    this.partial.delete(key);
    return value.bytes;
  }
}
