import crypto from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from '@20minutes/s3rver';

/** A server that speaks S3 and checks signatures, in this process. */
export interface TestS3 {
  /** http://HOST:PORT */
  readonly endpoint: string;
  readonly bucket: string;
  /** As `--store` takes it. */
  readonly location: string;
  /** The credentials that it knows, as environment variables. */
  readonly env: { readonly AWS_ACCESS_KEY_ID: string; readonly AWS_SECRET_ACCESS_KEY: string };
  close(): Promise<void>;
}

/**
 * Its marks between the pages of a listing are enciphered by DES, which OpenSSL 3 no longer has. Triple DES with one key
 * three times is the same cipher.
 */
function haveDes(): void {
  const { createCipheriv, createDecipheriv } = crypto;
  const tripled =
    (make: (name: string, key: Buffer, ...rest: unknown[]) => unknown) =>
    (name: string, key: Buffer, ...rest: unknown[]) =>
      name === 'des'
        ? make('des-ede3-cbc', Buffer.concat([key, key, key]), ...rest)
        : make(name, key, ...rest);
  Object.assign(crypto, {
    createCipheriv: tripled(createCipheriv as never),
    createDecipheriv: tripled(createDecipheriv as never),
  });
}
haveDes();

export async function testS3(bucket = 'photographs'): Promise<TestS3> {
  const directory = await mkdtemp(join(tmpdir(), 'implicam-s3-'));
  const server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory,
    vhostBuckets: false,
    configureBuckets: [{ name: bucket }],
  });
  const { port } = await server.run();
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    endpoint,
    bucket,
    location: `s3://${bucket}/some/prefix?endpoint=${endpoint}`,
    // Its only account.
    env: { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' },
    async close() {
      const closed = server.close();
      server.httpServer.closeAllConnections();
      await closed;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
