import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from 'vitest';
import { freePort } from '../../bench/trials/cluster/program.js';
import { checkStore, openStore } from '../../store/open.js';
import { readS3Location } from '../../store/s3/location.js';
import { createS3Store, type S3StoreOptions } from '../../store/s3/s3.js';
import { type TestS3, testS3 } from './s3-server.js';

/** What can go wrong on the way to an S3 store. */

const env = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' };

describe('a location', () => {
  test.each([
    ['s3://b-1', {}, 'https://b-1.s3.us-east-1.amazonaws.com', 's3://b-1'],
    ['s3://b-1/p/q/?region=eu-west-3', {}, 'https://b-1.s3.eu-west-3.amazonaws.com', 's3://b-1/p/q'],
    ['s3://b.1', { AWS_REGION: 'eu-west-1' }, 'https://s3.eu-west-1.amazonaws.com/b.1', 's3://b.1'],
    ['s3://b-1?endpoint=http://[::1]:9000/', {}, 'http://[::1]:9000/b-1', 's3://b-1'],
    ['s3://b-1', { AWS_ENDPOINT_URL_S3: 'https://s3.example/x' }, 'https://s3.example/x/b-1', 's3://b-1'],
  ])('%s is understood', (location, more, url, name) => {
    expect(readS3Location(location, { ...env, ...more })).toMatchObject({ url, name });
  });

  test.each([
    ['s3://', 'bucket'],
    ['s3://B_', 'bucket'],
    ['s3://bucket/../x y', 'prefix'],
    ['s3://bucket?endpoint=localhost', 'endpoint'],
    ['s3://bucket?region=eu/west', 'region'],
    ['s3://bucket?acl=public', "no 'acl'"],
    ['s3://me:hidden@bucket', 'credentials'],
  ])('%s is refused', (location, why) => {
    const open = () => openStore(location, env);
    expect(open).toThrow(why);
    expect(open).not.toThrow('hidden');
  });

  it('needs credentials', () => {
    expect(() => openStore('s3://bucket', {})).toThrow('AWS_ACCESS_KEY_ID');
  });
});

describe('a store', () => {
  let server: TestS3;
  const proxies: Server[] = [];
  beforeAll(async () => {
    server = await testS3();
  });
  afterEach(() => {
    for (const proxy of proxies.splice(0)) proxy.close().closeAllConnections();
  });
  afterAll(() => server.close());

  type Way = 'pass' | 'cut' | 'refuse' | 'silent' | 'halve' | 'lose';

  /** The server behind something that, as often as it is told to, is in the way. */
  async function through(
    inTheWay: (call: { method: string; url: string }) => Way,
    options: S3StoreOptions = {},
  ) {
    const calls: string[] = [];
    const proxy = createServer((incoming, outgoing) => {
      const { method = '', url = '' } = incoming;
      calls.push(`${method} ${url}`);
      const what = inTheWay({ method, url });
      if (what === 'silent') return;
      if (what === 'cut') return void incoming.socket.destroy();
      if (what === 'refuse') {
        return void outgoing
          .writeHead(503)
          .end('<Error><Code>SlowDown</Code><Message>slow</Message></Error>');
      }
      // The host is part of what is signed.
      const onward = request(server.endpoint + url, { method, headers: incoming.headers }, (answer) => {
        if (what === 'lose') return void answer.on('end', () => outgoing.destroy()).resume();
        outgoing.writeHead(answer.statusCode!, answer.headers);
        if (what === 'pass') return void answer.pipe(outgoing);
        answer.on('data', (piece) => outgoing.write(piece.subarray(0, piece.length / 2)));
        answer.on('end', () => outgoing.destroy());
      });
      incoming.pipe(onward);
    });
    proxies.push(proxy);
    await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
    const endpoint = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const place = readS3Location(`s3://${server.bucket}/some/prefix?endpoint=${endpoint}`, server.env);
    return { calls, store: createS3Store(place, { backOff: 1, partBytes: 100, ...options }) };
  }

  it('is asked again where it fails for the moment', async () => {
    const ways: readonly Way[] = ['cut', 'refuse', 'lose', 'halve', 'pass'];
    const calls = new Map<string, number>();
    const { store } = await through(({ method, url }) => {
      // Writes are answered without a body, of which a half could be.
      const those = method === 'GET' ? ways : ways.filter((way) => way !== 'halve');
      const call = calls.get(`${method} ${url}`) ?? 0;
      calls.set(`${method} ${url}`, call + 1);
      return those[call % those.length];
    });
    const content = Buffer.from(Array.from({ length: 1234 }, (_, i) => i % 251));
    await store.put('k', content);
    expect((await store.read('k', 3, 90)).equals(content.subarray(3, 93))).toBe(true);
    expect(await buffer(await store.stream('k'))).toEqual(content);
    expect(await store.list('k')).toEqual(['k']);
    await store.deletePrefix('k');
    expect(await store.size('k')).toBeUndefined();
    expect(calls.size).toBeGreaterThan(15);
    expect([...calls.values()].every((count) => count >= 4)).toBe(true);
  });

  it('knows its own upload when the answer to the last request is lost', async () => {
    let completions = 0;
    const { store } = await through(({ method, url }) =>
      method === 'POST' && url.includes('uploadId') && completions++ === 0 ? 'lose' : 'pass',
    );
    const content = Buffer.alloc(250, 'x');
    await store.put('lost', content);
    expect(completions).toBeGreaterThan(1);
    expect(await store.read('lost')).toEqual(content);
  });

  it('is not asked for ever', async () => {
    const { store, calls } = await through(() => 'refuse', { attempts: 3 });
    await expect(store.read('k')).rejects.toThrow(/cannot read k in s3:.*503 SlowDown slow/);
    expect(calls).toHaveLength(3);
    const silent = await through(() => 'silent', { attempts: 2, patience: 50 });
    await expect(silent.store.put('k', Buffer.alloc(1))).rejects.toMatchObject({
      code: 'store-failed',
      status: 503,
      message: expect.stringContaining('does not answer in time'),
    });
  });

  it('is not asked more at a time than agreed', async () => {
    let [now, most] = [0, 0];
    const { store } = await through(
      () => {
        most = Math.max(most, ++now);
        setTimeout(() => now--, 5);
        return 'pass';
      },
      { requests: 2 },
    );
    await Promise.all(Array.from({ length: 12 }, (_, i) => store.put(`n/${i}`, Buffer.alloc(1))));
    expect(await store.list('n/')).toHaveLength(12);
    expect(most).toBeLessThanOrEqual(3);
    await store.deletePrefix('n/');
    expect(await store.list('n/')).toEqual([]);
  });

  it('does not mix what was replaced while it was read', async () => {
    const store = openStore(server.location, server.env);
    await store.put('torn', Buffer.alloc(9 * 2 ** 20, 1));
    const stream = await store.stream('torn');
    await openStore(server.location, server.env).put('torn', Buffer.alloc(9 * 2 ** 20, 2));
    await expect(buffer(stream)).rejects.toThrow('was replaced while it was read');
  });

  it('says what is wrong', async () => {
    const wrong = (location: string, credentials: typeof env = server.env) =>
      checkStore(createS3Store(readS3Location(location, credentials), { backOff: 1 }));
    const { endpoint, bucket } = server;
    const none = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'wrong' };
    await expect(wrong(`s3://${bucket}?endpoint=${endpoint}`, none)).rejects.toThrow(
      /refuses these credentials.*SignatureDoesNotMatch.*AWS_SECRET_ACCESS_KEY/,
    );
    await expect(wrong(`s3://nobucket?endpoint=${endpoint}`)).rejects.toThrow(
      /there is no bucket nobucket at http.*: make it/,
    );
    await expect(wrong(`s3://${bucket}?endpoint=http://127.0.0.1:${await freePort()}`)).rejects.toThrow(
      /cannot read s3:\/\/photographs: it cannot be reached \(ECONNREFUSED\)/,
    );
    const store = openStore(`s3://nobucket?endpoint=${endpoint}`, server.env);
    await expect(store.put('k', Buffer.alloc(1))).rejects.toThrow('there is no bucket nobucket');
    await expect(store.read('k')).rejects.toThrow('there is no bucket nobucket');
  });
});
