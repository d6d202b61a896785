/**
 * Colour profiles (ICC.1:2010, version 4.2) of what this program writes: the primaries of sRGB with its transfer curve,
 * for what a display shows, or with none, for linear light; and grey of the same white. They are built, not carried
 * along: a few hundred bytes.
 */

export type ProfileCurve = 'srgb' | 'linear';

/** White of the connection space, D50, and the colourants of sRGB (IEC 61966-2-1) seen under it. */
const WHITE = [0.9642, 1, 0.82491] as const;
const COLOURANTS = [
  ['rXYZ', [0.43604, 0.22244, 0.0139]],
  ['gXYZ', [0.3851, 0.71693, 0.09708]],
  ['bXYZ', [0.14307, 0.06062, 0.71393]],
] as const;
/** From D65, the white of sRGB, to D50 (Bradford), by rows. */
const ADAPTATION = [
  1.04784, 0.0229, -0.0502, 0.02954, 0.99051, -0.01707, -0.00925, 0.01508, 0.75172,
] as const;
/** Type 3 of a parametric curve (§10.15): ((v + 0.055) / 1.055)^2.4 from 0.04045 on, v / 12.92 below. */
const SRGB_CURVE = [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045] as const;

/** A profile for pictures of one channel (grey) or three (RGB). */
export function colourProfile(curve: ProfileCurve, channels: 1 | 3): Buffer {
  const transfer = curve === 'srgb' ? parametric(3, SRGB_CURVE) : parametric(0, [1]);
  const name = `${channels === 1 ? 'Grey, ' : ''}${curve === 'srgb' ? 'sRGB' : 'linear sRGB'}`;
  const tags: (readonly [string, Buffer])[] = [
    ['desc', localised(name)],
    ['cprt', localised('No copyright, use freely')],
    ['wtpt', xyz(WHITE)],
    ['chad', Buffer.concat([typed('sf32'), ...ADAPTATION.map(fixed)])],
  ];
  if (channels === 1) tags.push(['kTRC', transfer]);
  else {
    for (const [tag, value] of COLOURANTS) tags.push([tag, xyz(value)]);
    for (const tag of ['rTRC', 'gTRC', 'bTRC']) tags.push([tag, transfer]);
  }
  return assemble(channels === 1 ? 'GRAY' : 'RGB ', tags);
}

function assemble(space: string, tags: readonly (readonly [string, Buffer])[]): Buffer {
  const table = Buffer.alloc(4 + 12 * tags.length);
  table.writeUInt32BE(tags.length, 0);
  const placed = new Map<Buffer, number>();
  const values: Buffer[] = [];
  let end = 128 + table.length;
  tags.forEach(([name, value], i) => {
    // Channels of one curve share its bytes.
    const known = placed.get(value);
    const at = known ?? end;
    if (known === undefined) {
      const padded = Buffer.concat([value, Buffer.alloc(-value.length & 3)]);
      placed.set(value, at);
      values.push(padded);
      end += padded.length;
    }
    table.write(name, 4 + 12 * i, 'latin1');
    table.writeUInt32BE(at, 8 + 12 * i);
    table.writeUInt32BE(value.length, 12 + 12 * i);
  });
  return Buffer.concat([header(space, end), table, ...values]);
}

function header(space: string, bytes: number): Buffer {
  const head = Buffer.alloc(128);
  head.writeUInt32BE(bytes, 0);
  head.writeUInt32BE(0x04200000, 8);
  head.write(`mntr${space}XYZ `, 12, 'latin1');
  // The first of January 2024: a date that does not change with the clock.
  [2024, 1, 1, 0, 0, 0].forEach((part, i) => void head.writeUInt16BE(part, 24 + 2 * i));
  head.write('acsp', 36, 'latin1');
  WHITE.forEach((value, i) => void fixed(value).copy(head, 68 + 4 * i));
  return head;
}

const typed = (name: string): Buffer => Buffer.concat([Buffer.from(name, 'latin1'), Buffer.alloc(4)]);
const xyz = (value: readonly number[]): Buffer => Buffer.concat([typed('XYZ '), ...value.map(fixed)]);

/** A number with 16 bits of fraction. */
function fixed(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(Math.round(65536 * value));
  return bytes;
}

function parametric(type: number, parameters: readonly number[]): Buffer {
  const kind = Buffer.alloc(4);
  kind.writeUInt16BE(type);
  return Buffer.concat([typed('para'), kind, ...parameters.map(fixed)]);
}

/** Text in English alone: one record of 12 bytes, then UTF-16. */
function localised(text: string): Buffer {
  const words = Buffer.from(text, 'utf16le').swap16();
  const head = Buffer.alloc(20);
  head.writeUInt32BE(1, 0);
  head.writeUInt32BE(12, 4);
  head.write('enUS', 8, 'latin1');
  head.writeUInt32BE(words.length, 12);
  head.writeUInt32BE(28, 16);
  return Buffer.concat([typed('mluc'), head, words]);
}
