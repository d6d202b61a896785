import { once } from 'node:events';
import {
  type ServerReadableStream,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { ImplicamError } from '../../model/errors.js';
import type { FetchSnapshotRequest__Output } from '../../proto/types/implicam/v1/FetchSnapshotRequest.js';
import type { FetchSnapshotResponse } from '../../proto/types/implicam/v1/FetchSnapshotResponse.js';
import type { KeepSnapshotRequest__Output } from '../../proto/types/implicam/v1/KeepSnapshotRequest.js';
import type { KeepSnapshotResponse } from '../../proto/types/implicam/v1/KeepSnapshotResponse.js';
import type { PeerServiceClient } from '../../proto/types/implicam/v1/PeerService.js';
import { partName, type SnapshotPartName } from '../../store/scene/keys.js';
import { countGarbage } from '../garbage.js';
import { asStatus } from '../status.js';
import { sendAll } from '../streaming.js';
import type { HeldSnapshots } from './held.js';

/** Copies of snapshots from one runner's memory to another's. */

const PIECE = 256 * 1024;
/** Largest part of a snapshot that is taken, in bytes. */
const LARGEST_PART = 4 * 2 ** 30;
/** A transfer may take this long and this much more for each byte, in milliseconds: 20 MB/s at least. */
const deadline = (bytes: number) => new Date(Date.now() + 10_000 + bytes / 20_000);

export interface PartName {
  readonly training: string;
  readonly step: number;
  readonly shard: number | undefined;
}

/** Leaves a part with a peer. @throws ImplicamError `peer-lost` */
export async function keepWithPeer(
  client: PeerServiceClient,
  part: PartName & { epoch: number },
  bytes: Buffer,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const stream = client.keepSnapshot({ deadline: deadline(bytes.length) }, (error: Error | null) =>
      error ? reject(peerLost(error)) : resolve(),
    );
    stream.on('error', (error) => reject(peerLost(error)));
    const send = async () => {
      for (let at = 0; at < bytes.length || at === 0; at += PIECE) {
        const data = bytes.subarray(at, at + PIECE);
        const message = at === 0 ? { part, total: bytes.length, data } : { data };
        countGarbage(data.length);
        if (!stream.write(message)) await once(stream, 'drain');
      }
      stream.end();
    };
    send().catch(reject);
  });
}

/** Fetches a part that a peer holds. @throws ImplicamError `snapshot-missing`, `peer-lost` */
export async function fetchFromPeer(client: PeerServiceClient, part: PartName): Promise<Buffer> {
  const { training, step, shard } = part;
  const stream = client.fetchSnapshot(
    { part: { training, step, ...(shard === undefined ? {} : { shard }) } },
    { deadline: deadline(LARGEST_PART / 64) },
  );
  try {
    const pieces: Buffer[] = [];
    let total = 0;
    let filled = 0;
    for await (const piece of stream as AsyncIterable<{ total: number; data: Buffer }>) {
      if (pieces.length === 0) total = piece.total;
      filled += piece.data.length;
      if (filled > total) break;
      pieces.push(piece.data);
    }
    if (pieces.length > 0 && filled === total) return Buffer.concat(pieces);
    throw new Error(`${filled} of ${total} bytes came`);
  } catch (error) {
    stream.cancel();
    if ((error as { code?: number }).code === status.NOT_FOUND) {
      throw new ImplicamError('snapshot-missing', `a peer has no snapshot of step ${step} of ${training}`, {
        status: 404,
        cause: error,
      });
    }
    throw peerLost(error);
  }
}

/** Serves `keepSnapshot`. */
export function serveKeep(
  snapshots: HeldSnapshots,
  call: ServerReadableStream<KeepSnapshotRequest__Output, KeepSnapshotResponse>,
  answer: sendUnaryData<KeepSnapshotResponse>,
): void {
  let named: { training: string; step: number; name: SnapshotPartName } | undefined;
  let bytes = Buffer.alloc(0);
  let filled = 0;
  const refuse = (details: string) => {
    call.removeAllListeners('data');
    answer({ code: status.INVALID_ARGUMENT, details });
  };
  call.on('data', (message: KeepSnapshotRequest__Output) => {
    if (!named) {
      if (!message.part || message.total > LARGEST_PART) return refuse('no part, or too large a one');
      const { training, step, shard } = message.part;
      named = { training, step, name: partName(shard) };
      bytes = Buffer.allocUnsafe(message.total);
    }
    if (filled + message.data.length > bytes.length) return refuse('more bytes came than announced');
    message.data.copy(bytes, filled);
    countGarbage(message.data.length);
    filled += message.data.length;
  });
  call.on('end', () => {
    if (!named || filled !== bytes.length) return refuse(`${filled} of ${bytes.length} bytes came`);
    snapshots.put(named.training, named.step, named.name, bytes);
    answer(null, {});
  });
  call.on('error', () => undefined);
}

/** Serves `fetchSnapshot`. */
export function serveFetch(
  snapshots: HeldSnapshots,
  call: ServerWritableStream<FetchSnapshotRequest__Output, FetchSnapshotResponse>,
): void {
  const { part } = call.request;
  const bytes = part && snapshots.get(part.training, part.step, partName(part.shard));
  if (!bytes) {
    call.emit('error', { code: status.NOT_FOUND, details: 'there is no such snapshot here' });
    return;
  }
  call.on('error', () => undefined);
  sendAll(call, piecesOf(bytes)).then(
    () => call.end(),
    (error) => call.emit('error', asStatus(error)),
  );
}

function* piecesOf(bytes: Buffer): Generator<FetchSnapshotResponse> {
  for (let at = 0; at < bytes.length || at === 0; at += PIECE) {
    yield { total: bytes.length, data: bytes.subarray(at, at + PIECE) };
  }
}

function peerLost(cause: unknown): ImplicamError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ImplicamError('peer-lost', `a snapshot could not be copied between runners: ${why}`, {
    status: 503,
    cause,
  });
}
