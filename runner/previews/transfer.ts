import type { ServerWritableStream } from '@grpc/grpc-js';
import { ImplicamError } from '../../model/errors.js';
import type { PreviewPart } from '../../model/render/preview-part.js';
import type { BakePreviewRequest__Output } from '../../proto/types/implicam/v1/BakePreviewRequest.js';
import type {
  BakePreviewResponse,
  BakePreviewResponse__Output,
} from '../../proto/types/implicam/v1/BakePreviewResponse.js';
import type { PeerServiceClient } from '../../proto/types/implicam/v1/PeerService.js';
import { required } from '../attachment.js';
import type { ShardRange } from '../snapshots/held.js';
import { asStatus } from '../status.js';
import { sendAll } from '../streaming.js';

/** Parts of small pictures, from one runner to another. */

const PIECE = 256 * 1024;
/** A peer may take this long, in milliseconds: nobody waits for a picture. */
const DEADLINE = 60_000;
/** Largest part that is taken, in bytes. */
const LARGEST = 64 * 2 ** 20;

/** Has a peer bake its tiles of a snapshot. @throws ImplicamError `preview-refused` */
export async function bakeAtPeer(
  client: PeerServiceClient,
  request: {
    readonly training: string;
    readonly step: number;
    readonly shards: ShardRange;
    readonly width: number;
  },
): Promise<PreviewPart> {
  const stream = client.bakePreview(request, { deadline: Date.now() + DEADLINE });
  const pieces: Buffer[] = [];
  let rect = { x: 0, y: 0, width: 0, height: 0 };
  let filled = 0;
  try {
    for await (const { x, y, width, height, data } of stream as AsyncIterable<BakePreviewResponse__Output>) {
      if (pieces.length === 0) rect = { x, y, width, height };
      filled += data.length;
      if (filled > LARGEST || filled > 12 * rect.width * rect.height) throw new Error('too much came');
      pieces.push(data);
    }
    if (filled !== 12 * rect.width * rect.height) throw new Error('too little came');
  } catch (cause) {
    stream.cancel();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImplicamError('preview-refused', `a peer made no part of a small picture: ${why}`, { cause });
  }
  const sums = new Float32Array(filled / 4);
  new Uint8Array(sums.buffer).set(Buffer.concat(pieces));
  return { ...rect, sums };
}

/** What serves the parts of small pictures (`Previewer`). */
interface PartSource {
  part(training: string, step: number, shards: ShardRange, width: number): Promise<PreviewPart>;
}

/** Serves `bakePreview`. */
export function serveBakePreview(
  source: PartSource,
  call: ServerWritableStream<BakePreviewRequest__Output, BakePreviewResponse>,
): void {
  const answer = async () => {
    const { training, step, shards, width } = call.request;
    const part = await source.part(training, step, required(shards, 'shards'), width);
    await sendAll(call, piecesOf(part));
  };
  call.on('error', () => undefined);
  answer().then(
    () => call.end(),
    (error) => call.emit('error', asStatus(error)),
  );
}

function* piecesOf({ sums, ...rect }: PreviewPart): Generator<BakePreviewResponse> {
  const bytes = Buffer.from(sums.buffer, sums.byteOffset, sums.byteLength);
  for (let at = 0; at < bytes.length; at += PIECE) {
    yield { ...(at === 0 ? rect : {}), data: bytes.subarray(at, at + PIECE) };
  }
}
