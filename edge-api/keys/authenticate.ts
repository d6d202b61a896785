import type { MiddlewareHandler } from 'hono';
import type { AppEnv } from '../context.js';
import { refusal } from '../http/refusal.js';
import { admit } from './keys.js';

/** Lets through who presents a valid key in `Authorization: Bearer KEY`, as often as its rate allows. */
export const authenticate: MiddlewareHandler<AppEnv> = async (c, next) => {
  const secret = /^Bearer +(\S+) *$/i.exec(c.req.header('authorization') ?? '')?.[1];
  if (!secret) {
    throw refusal(401, 'key-missing', 'no API key was sent: send the header "Authorization: Bearer KEY"');
  }
  const admission = await admit(c.get('db'), secret);
  if (!admission) {
    throw refusal(401, 'key-invalid', 'the API key is unknown, revoked or expired: ask for a new one');
  }
  const { principal, allowed, remaining, retryAfter } = admission;
  c.header('ratelimit-limit', String(principal.burst));
  c.header('ratelimit-remaining', String(remaining));
  if (!allowed) {
    throw refusal(
      429,
      'rate-limited',
      `this key may send ${principal.ratePerMinute} requests a minute: slow down`,
      retryAfter,
    );
  }
  c.set('principal', principal);
  await next();
};
