import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatAddress, parseAddress } from './channel.js';

test('an address that was put together comes apart again', () => {
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
  fc.assert(
    fc.property(host, fc.integer({ min: 0, max: 65_535 }), (name, port) => {
      expect(parseAddress(formatAddress({ host: name, port }))).toEqual({ host: name, port });
    }),
  );
});

test.each(['localhost', '::1:7070', '[::1]', 'a:b', ':80', 'a:70000'])('%s is no address', (address) => {
  expect(() => parseAddress(address)).toThrow(/write host:port/);
});
