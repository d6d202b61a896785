import { lookup } from 'node:dns';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { ImplicamError } from '../../model/errors.js';
import type { SendWebhook } from './deliver.js';

const SECONDS = 10;

/** Networks that are not the internet's (RFC 6890): a webhook must not make this service knock on its own doors. */
const inside = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  inside.addSubnet(network, bits, 'ipv4');
}
for (const [network, bits] of [
  ['::', 128],
  ['::1', 128],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  inside.addSubnet(network, bits, 'ipv6');
}

/** Whether an address is of a private, local or reserved network. */
export function isInside(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return inside.check(mapped, 'ipv4');
  return inside.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Sends webhooks from Node. Redirects are not followed, answers are not read, and the address that the name stands for
 * is judged at the moment of connecting, so that it cannot change in between.
 *
 * @param allowInside whether addresses of this machine's own networks are allowed
 */
export function createWebhookSender(allowInside: boolean): SendWebhook {
  const guarded: LookupFunction = (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, '', 4);
      const refused = allowInside ? undefined : addresses.find(({ address }) => isInside(address));
      if (refused || addresses.length === 0) return done(forbidden(host), '', 4);
      if (options.all) return done(null, addresses);
      return done(null, addresses[0].address, addresses[0].family);
    });
  };
  return (url, headers, body) =>
    new Promise((resolve, reject) => {
      const target = new URL(url);
      const host = target.hostname.replace(/^\[|\]$/g, '');
      // Addresses in the URL are connected to without a lookup.
      if (!allowInside && isIP(host) && isInside(host)) throw forbidden(host);
      const begin = target.protocol === 'https:' ? httpsRequest : httpRequest;
      const request = begin(target, {
        method: 'POST',
        headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
        lookup: guarded,
        signal: AbortSignal.timeout(1000 * SECONDS),
        agent: false,
      });
      request.on('response', (response) => {
        response.destroy();
        resolve(response.statusCode ?? 0);
      });
      request.on('error', reject);
      request.end(body);
    });
}

const forbidden = (host: string) =>
  new ImplicamError(
    'webhook-address',
    `${host} is an address inside a private network, which gets no webhooks`,
  );
