import { readFileSync } from 'node:fs';
import { ChannelCredentials, type ChannelOptions, type Server, ServerCredentials } from '@grpc/grpc-js';
import { ImplicamError } from '../model/errors.js';

/** Files in PEM: this process' certificate and key, and the authority that both ends must be signed by. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

export interface ChannelSecurity {
  /** Mutual TLS. @default plaintext */
  readonly tls?: TlsFiles;
  /** Plaintext beyond loopback, for networks that encrypt by themselves. @default false */
  readonly insecure?: boolean;
}

/** Largest message: pieces are 256 KB, commands a few KB a thousand shards. */
const MESSAGE_BYTES = 16 * 2 ** 20;

/** Bytes on their way that nobody has read yet, a stream and a connection: HTTP/2's own 64 KB cost a round trip each. */
const WINDOW_BYTES = 4 * 2 ** 20;

/**
 * Both ends ping after 4 s of silence and close the connection 4 s later, so that a frozen process or a dead cable is noticed within
 * 8 s even where nothing is being sent. The two ends belong together: a server that expects fewer pings than its
 * clients send answers GOAWAY.
 */
export const CHANNEL_OPTIONS: ChannelOptions = {
  'grpc.max_receive_message_length': MESSAGE_BYTES,
  'grpc.max_send_message_length': MESSAGE_BYTES,
  'grpc.keepalive_time_ms': 4000,
  'grpc.keepalive_timeout_ms': 4000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.http2.max_pings_without_data': 0,
  'grpc-node.flow_control_window': WINDOW_BYTES,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2000,
  // Channels to the same peer are not shared between parts of a process: closing one must not cut the other.
  'grpc.use_local_subchannel_pool': 1,
};

export function channelCredentials({ tls }: ChannelSecurity): ChannelCredentials {
  if (!tls) return ChannelCredentials.createInsecure();
  const { cert, key, ca } = readTls(tls);
  return ChannelCredentials.createSsl(ca, key, cert);
}

function serverCredentials({ tls }: ChannelSecurity): ServerCredentials {
  if (!tls) return ServerCredentials.createInsecure();
  const { cert, key, ca } = readTls(tls);
  return ServerCredentials.createSsl(ca, [{ cert_chain: cert, private_key: key }], true);
}

/**
 * Listens on host:port (port 0: any free one) and answers with the port.
 *
 * @throws ImplicamError `insecure-address` for plaintext beyond loopback that was not asked for, `address-in-use` where
 * nobody can listen there.
 */
export async function listen(server: Server, address: string, security: ChannelSecurity): Promise<number> {
  const { host } = parseAddress(address);
  if (!security.tls && !security.insecure && !isLoopback(host)) {
    throw new ImplicamError(
      'insecure-address',
      `${address} can be reached from other machines: give --tls-cert, --tls-key and --tls-ca, or --insecure on a network that you trust`,
      { exitCode: 2 },
    );
  }
  try {
    return await new Promise<number>((resolve, reject) => {
      server.bindAsync(address, serverCredentials(security), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImplicamError('address-in-use', `cannot listen on ${address}: ${why}`, { cause });
  }
}

/**
 * Splits host:port; an IPv6 host stands in brackets.
 *
 * @throws ImplicamError `address-invalid`.
 */
export function parseAddress(address: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw new ImplicamError(
      'address-invalid',
      `'${address}' is no address: write host:port, for example 127.0.0.1:7070`,
      { exitCode: 2 },
    );
  }
  return { host: match[1] ?? match[2], port };
}

/** host:port as `parseAddress` takes it apart: an IPv6 host gets its brackets. */
export function formatAddress({ host, port }: { host: string; port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function readTls(files: TlsFiles): { cert: Buffer; key: Buffer; ca: Buffer } {
  const read = (what: keyof TlsFiles) => {
    try {
      return readFileSync(files[what]);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ImplicamError('tls-unreadable', `cannot read --tls-${what} ${files[what]}: ${why}`, {
        exitCode: 2,
        cause,
      });
    }
  };
  return { cert: read('cert'), key: read('key'), ca: read('ca') };
}
