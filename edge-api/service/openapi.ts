import { createApp } from '../app.js';
import type { Deps } from '../context.js';
import { defaultLimits } from '../limits.js';
import { openApiDocument } from './routes.js';

/** The OpenAPI document without a running service: for the page in docs/ and for generated clients. */
export function apiDocument(version: string): object {
  const absent = new Proxy({}, { get: () => () => Promise.reject(new Error('nothing is served here')) });
  const parts = ['connect', 'objects', 'gateway', 'photographs', 'waker', 'log'];
  const deps = Object.fromEntries(parts.map((part) => [part, absent]));
  const rest = { limits: defaultLimits, origins: [], version, privateWebhooks: false };
  return openApiDocument(createApp({ ...deps, ...rest } as unknown as Deps), version);
}
