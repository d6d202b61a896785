import { describe, expect, it } from 'vitest';
import { identifyFormat } from './format.js';
import { fromSamples, samples8 } from './test-support.js';

const latin = (text: string): Uint8Array => Buffer.from(text.padEnd(64, '\0'), 'latin1');
const ftyp = (major: string, ...compatible: string[]): Uint8Array =>
  latin(`\0\0\0${String.fromCharCode(16 + 4 * compatible.length)}ftyp${major}\0\0\0\0${compatible.join('')}`);

/** A little-endian TIFF of one directory with the entries (tag, type, value). */
function tiff(...entries: [number, number, number][]): Uint8Array {
  const bytes = Buffer.alloc(14 + 12 * entries.length);
  bytes.write('II*\0\x08', 'latin1');
  bytes.writeUInt16LE(entries.length, 8);
  entries.forEach(([tag, type, value], i) => {
    bytes.writeUInt16LE(tag, 10 + 12 * i);
    bytes.writeUInt16LE(type, 12 + 12 * i);
    bytes.writeUInt32LE(1, 14 + 12 * i);
    bytes.writeUInt32LE(value, 18 + 12 * i);
  });
  return bytes;
}

describe('formats are told by their content', () => {
  it('of files that are read, whatever they are called', async () => {
    const image = () => fromSamples(samples8(16, 16));
    expect(identifyFormat('a.png', await image().jpeg().toBuffer())).toBe('jpeg');
    expect(identifyFormat('a.jpg', await image().png().toBuffer())).toBe('png');
    expect(identifyFormat('a', await image().webp().toBuffer())).toBe('webp');
    expect(identifyFormat('a.tif', await image().tiff().toBuffer())).toBe('tiff');
    expect(identifyFormat('a.heic', await image().avif().toBuffer())).toBe('avif');
    expect(identifyFormat('a', ftyp('mif1', 'mif1', 'avif', 'miaf'))).toBe('avif');
    expect(identifyFormat('a', latin('v/1\x01\x02'))).toBe('exr');
    expect(identifyFormat('a', latin('#?RADIANCE\n'))).toBe('hdr');
    expect(identifyFormat('a', latin('#?RGBE\n'))).toBe('hdr');
  });

  it.each([
    ['HEIC', ftyp('heic', 'mif1', 'heic'), 'export it as JPEG'],
    ['HEIC', ftyp('mif1', 'heic'), 'Most Compatible'],
    ['camera RAW', ftyp('crx ', 'crx '), '16-bit TIFF'],
    ['camera RAW', latin('II*\0\x10\0\0\0CR\x02'), '16-bit TIFF'],
    ['camera RAW', latin('IIU\0'), '16-bit TIFF'],
    ['camera RAW', latin('FUJIFILMCCD-RAW 0201'), '16-bit TIFF'],
    ['camera RAW', tiff([0xc612, 1, 1]), '16-bit TIFF'],
    ['camera RAW', tiff([262, 3, 32803]), '16-bit TIFF'],
    ['camera RAW', tiff([254, 4, 1], [330, 4, 8]), '16-bit TIFF'],
    ['video', ftyp('isom', 'mp42'), 'extract its frames'],
    ['video', ftyp('qt  '), 'extract its frames'],
    ['video', latin('RIFF\0\0\0\0AVI '), 'extract its frames'],
    ['video', latin('\x1aE\xdf\xa3'), 'extract its frames'],
    ['GIF', latin('GIF89a'), 'each frame as PNG'],
    ['SVG', latin('<svg xmlns="http://www.w3.org/2000/svg">'), 'photographs'],
    ['SVG', latin('\xef\xbb\xbf <?xml version="1.0"?>'), 'photographs'],
    ['PDF', latin('%PDF-1.7'), 'JPEG or PNG'],
    ['Photoshop', latin('8BPS\0\x01'), '16-bit TIFF'],
    ['JPEG XL', latin('\xff\x0a'), 'export it'],
    ['JPEG XL', latin('\0\0\0\x0cJXL \r\n\x87\n'), 'export it'],
    ['JPEG 2000', latin('\0\0\0\x0cjP  \r\n\x87\n'), 'export it'],
    ['BMP', latin('BM'), 'export it'],
    ['no known picture format', latin('hello'), 'JPEG, PNG, WebP, TIFF or AVIF'],
    ['no known picture format', Uint8Array.of(1), 'JPEG, PNG, WebP, TIFF or AVIF'],
  ])('of files that are not: %s', (label, bytes, remedy) => {
    const refusal = (() => {
      try {
        return identifyFormat('IMG_1.jpg', bytes);
      } catch (error) {
        return error;
      }
    })();
    expect(refusal).toMatchObject({ code: 'format-unsupported', status: 415 });
    const { message } = refusal as Error;
    expect(message).toContain('IMG_1.jpg');
    expect(message).toContain(label);
    expect(message).toContain(remedy);
  });

  it('only camera RAW that begins like any TIFF is told by its name', () => {
    const plain = tiff([256, 3, 10]);
    expect(identifyFormat('a.tif', plain)).toBe('tiff');
    expect(() => identifyFormat('a.NEF', plain)).toThrow(/RAW/);
  });
});
