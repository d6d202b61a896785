import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventStreamParser } from './event-stream.js';

test('reads events as the standard has them', () => {
  const text =
    ': follow\nretry: 2000\n\nid: 1\nevent: created\ndata: {"a":1}\n\n: here\n\n' +
    'id: 2\r\nevent: phase\r\ndata: two\r\ndata:lines\r\n\r\ndata\n\nevent: nothing\n\nunknown: x\ndata: last\n\ndata: cut';
  expect(new EventStreamParser().push(text)).toEqual([
    { id: '1', type: 'created', data: '{"a":1}' },
    { id: '2', type: 'phase', data: 'two\nlines' },
    { id: '2', type: 'message', data: '' },
    { id: '2', type: 'message', data: 'last' },
  ]);
});

test('gives the same events however the text is cut', () => {
  const event = fc.record({
    id: fc.nat().map(String),
    data: fc.array(fc.string().map((s) => s.replace(/[\r\n]/g, ''))),
  });
  fc.assert(
    fc.property(
      fc.array(event),
      fc.constantFrom('\n', '\r\n'),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
      (events, end, cuts) => {
        const text = events
          .map(({ id, data }) => [`id: ${id}`, ...data.map((line) => `data: ${line}`), '', ''].join(end))
          .join('');
        const expected = events
          .filter(({ data }) => data.length > 0)
          .map(({ id, data }) => ({ id, type: 'message', data: data.join('\n') }));
        const parser = new EventStreamParser();
        const seen = [];
        for (let at = 0, i = 0; at < text.length; i++) {
          const length = cuts[i % cuts.length];
          seen.push(...parser.push(text.slice(at, at + length)));
          at += length;
        }
        expect(seen).toEqual(expected);
      },
    ),
  );
});
