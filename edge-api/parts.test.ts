import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createNotifiedWaker } from './events/waker.js';
import { FairGate } from './http/fair-gate.js';
import { fileName } from './photographs/photographs.js';
import { queryHash, readRenderQuery } from './renders/query.js';
import { createWebhookSender, isInside } from './webhooks/send.js';

const never = new AbortController().signal;

describe('the gate', () => {
  const options = { width: 1, waiting: 100, waitingPerTenant: 4, what: 'renders' };

  test('lets tenants in by turns, whoever asked for more', async () => {
    const gate = new FairGate(options);
    const order: string[] = [];
    const ask = (tenant: string) => gate.run(tenant, never, async () => void order.push(tenant));
    await Promise.all(['a', 'a', 'a', 'a', 'b', 'b', 'c'].map(ask));
    expect(order).toEqual(['a', 'a', 'b', 'c', 'a', 'b', 'a']);
    expect(gate.load).toBe(0);
  });

  test('refuses what is beyond its bounds, and goes on', async () => {
    const gate = new FairGate(options);
    const asked = Array.from({ length: 7 }, () => gate.run('a', never, () => sleep(5)));
    const results = await Promise.allSettled(asked);
    expect(results.filter((r) => r.status === 'rejected')).toHaveLength(2);
    expect(gate.load).toBe(0);
  });

  test('never runs more than its width, whatever fails or is given up', async () => {
    const step = fc.record({
      tenant: fc.constantFrom('a', 'b', 'c'),
      fails: fc.boolean(),
      givenUp: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 30 }),
        fc.integer({ min: 1, max: 3 }),
        async (steps, width) => {
          const gate = new FairGate({ ...options, width, waitingPerTenant: 100 });
          let running = 0;
          let most = 0;
          const asked = steps.map(({ tenant, fails, givenUp }) => {
            const signal = givenUp ? AbortSignal.abort(new Error('given up')) : never;
            return gate.run(tenant, signal, async () => {
              most = Math.max(most, ++running);
              await Promise.resolve();
              running--;
              if (fails) throw new Error('failed');
            });
          });
          await Promise.allSettled(asked);
          expect(most).toBeLessThanOrEqual(width);
          expect([running, gate.load]).toEqual([0, 0]);
        },
      ),
      { numRuns: 50 },
    );
  });
});

test('followers hear news that came before they waited, once, and of their session only', async () => {
  const waker = createNotifiedWaker();
  const follower = waker.follow('s');
  const other = waker.follow('t');
  const heard = async (f: typeof follower) => {
    const late = new AbortController();
    const news = f.wait(60_000, late.signal).then(() => !late.signal.aborted);
    void sleep(30).then(() => late.abort());
    return news;
  };
  waker.notify('s');
  expect(await heard(follower)).toBe(true);
  expect(await heard(follower)).toBe(false);
  expect(await heard(other)).toBe(false);
  waker.notify();
  expect(await heard(other)).toBe(true);
  follower.close();
  other.close();
});

test('names of files are never paths', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.nat(9999), (given, number) => {
      const name = fileName(given, number);
      expect(name).not.toMatch(/[/\\\0]|^\.+$/);
      expect(name.length).toBeGreaterThan(0);
      expect(name.length).toBeLessThanOrEqual(200);
    }),
  );
});

describe('render queries', () => {
  const url = { kind: 'all-in-focus', tone: 'srgb' } as const;

  test('are the same however they are written', () => {
    const read = (more: object) =>
      queryHash(readRenderQuery({ ...url, format: 'png', ...more }, undefined).query);
    expect(read({ ev: '0' })).toEqual(read({}));
    expect(read({ ev: '1.0' })).toEqual(read({ ev: '1' }));
    expect(read({ ev: '1' })).not.toEqual(read({}));
  });

  test.each([
    [undefined, 'jpeg'],
    ['*/*', 'jpeg'],
    ['image/*', 'jpeg'],
    ['image/avif,image/webp,*/*;q=0.8', 'webp'],
    ['image/x-exr, image/png;q=0.9', 'exr'],
    ['image/jpeg;q=0, image/*', 'webp'],
    ['text/html, image/png;q=0.1', 'png'],
  ])('answer Accept: %s with %s', (accept, format) => {
    expect(readRenderQuery(url, accept)).toMatchObject({ negotiated: true, query: { format } });
  });
});

describe('webhooks', () => {
  test.each([
    ...['127.0.0.1', '10.1.2.3', '169.254.169.254', '192.168.1.1', '100.64.0.1', '0.0.0.0', '::1', 'fe80::1'],
    ...['fd00::1', '::ffff:127.0.0.1', '::'],
  ])('%s is inside', (address) => {
    expect(isInside(address)).toBe(true);
  });

  test.each(['8.8.8.8', '172.32.0.1', '2606:4700::1111', '::ffff:8.8.8.8'])('%s is outside', (address) => {
    expect(isInside(address)).toBe(false);
  });

  test.each(['http://127.0.0.1:1/', 'http://[::1]:1/', 'http://localhost:1/', 'http://2130706433:1/'])(
    'are not sent to %s',
    async (target) => {
      await expect(createWebhookSender(false)(target, {}, '')).rejects.toMatchObject({
        code: 'webhook-address',
      });
    },
  );
});
