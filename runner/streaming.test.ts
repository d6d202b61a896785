import { setTimeout as wait } from 'node:timers/promises';
import { type ClientReadableStream, Server, type ServerWritableStream, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import { CHANNEL_OPTIONS, channelCredentials, listen } from '../proto/channel.js';
import { wire } from '../proto/load.js';
import type { RenderRequest__Output } from '../proto/types/implicam/v1/RenderRequest.js';
import type { RenderResponse, RenderResponse__Output } from '../proto/types/implicam/v1/RenderResponse.js';
import type { RenderServiceHandlers } from '../proto/types/implicam/v1/RenderService.js';
import { asStatus } from './status.js';
import { sendAll } from './streaming.js';

/** Far more than a connection, its two ends and a stream hold between them. */
const PIECES = 400;
const PIECE = 256 * 1024;

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

interface Answering {
  readonly call: ClientReadableStream<RenderResponse__Output>;
  /** Reads on, piece by piece. */
  readonly reader: AsyncIterator<RenderResponse__Output>;
  /** Pieces made so far. */
  readonly made: () => number;
  /** How sending ended. */
  readonly sent: Promise<unknown>;
}

/** A server that answers with `PIECES` numbered pieces, and a call to it of which one is read so far. */
async function answering(timeoutMs?: number): Promise<Answering> {
  let made = 0;
  let told: (end: unknown) => void = () => undefined;
  const sent = new Promise<unknown>((resolve) => {
    told = resolve;
  });
  function* pieces(): Generator<RenderResponse> {
    for (; made < PIECES; made++) yield { data: Buffer.alloc(PIECE, made % 251) };
  }
  const handlers: RenderServiceHandlers = {
    Render: (call: ServerWritableStream<RenderRequest__Output, RenderResponse>) => {
      call.on('error', () => undefined);
      sendAll(call, pieces(), timeoutMs).then(
        () => {
          call.end();
          told('whole');
        },
        (error) => {
          call.emit('error', asStatus(error));
          told(error);
        },
      );
    },
  };
  const server = new Server(CHANNEL_OPTIONS);
  server.addService(wire().RenderService.service, handlers);
  const port = await listen(server, '127.0.0.1:0', {});
  const client = new (wire().RenderService)(`127.0.0.1:${port}`, channelCredentials({}), CHANNEL_OPTIONS);
  const call = client.render({ model: '', query: '' }, { deadline: Date.now() + 60_000 });
  call.on('error', () => undefined);
  const reader = (call as AsyncIterable<RenderResponse__Output>)[Symbol.asyncIterator]();
  // A client that has never read takes everything.
  await reader.next();
  open.push(
    () => call.cancel(),
    () => client.close(),
    () => server.forceShutdown(),
  );
  return { call, reader, made: () => made, sent };
}

/** Resolves when no more pieces are being made. */
async function settled({ made }: Answering): Promise<number> {
  for (let before = -1; before === 0 || before !== made(); await wait(100)) before = made();
  return made();
}

describe('an answer in pieces', () => {
  test('is made as fast as it is read, and arrives whole', async () => {
    const answer = await answering();
    expect(await settled(answer)).toBeLessThan(PIECES / 2);
    let pieces = 1;
    for (let next = await answer.reader.next(); !next.done; next = await answer.reader.next()) {
      expect(next.value.data).toHaveLength(PIECE);
      expect(next.value.data[0]).toBe(pieces++ % 251);
    }
    expect(pieces).toBe(PIECES);
    expect(await answer.sent).toBe('whole');
  });

  test('is given up when nobody waits for it', async () => {
    const answer = await answering();
    await settled(answer);
    answer.call.cancel();
    await answer.sent;
    expect(answer.made()).toBeLessThan(PIECES / 2);
  });

  test('is given up when it is not read in time, and says so', async () => {
    const answer = await answering(300);
    expect(await answer.sent).toMatchObject({ code: 'reader-stalled' });
    expect(answer.made()).toBeLessThan(PIECES / 2);
    const read = async () => {
      while (!(await answer.reader.next()).done);
    };
    await expect(read()).rejects.toMatchObject({
      code: status.INTERNAL,
      details: expect.stringContaining('reader-stalled'),
    });
  });
});
