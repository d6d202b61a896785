import { type ExrBlock, sampleBytes } from './header.js';

/**
 * PIZ, the wavelet compression of OpenEXR (ImfPizCompressor, ImfHuf, ImfWav of the reference implementation): 16-bit
 * words are mapped to the values that occur, transformed by a 2D Haar-like wavelet per channel, and Huffman coded.
 * Decoder only.
 */

const WORDS = 65536;

/**
 * The samples of a PIZ chunk.
 *
 * @param expected bytes of the block.
 * @throws Error when the chunk is damaged.
 */
export function decodePiz(chunk: Uint8Array, block: ExrBlock, expected: number): Uint8Array {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
  const { values, most, end } = readValueMap(view);
  if (end + 4 > chunk.length) throw new Error('a block is too short');
  const length = view.getUint32(end, true);
  if (end + 4 + length > chunk.length) throw new Error('a block is too short');
  const words = decodeHuffman(chunk.subarray(end + 4, end + 4 + length), expected / 2);
  const { width, rows, channels } = block;
  let plane = 0;
  for (const channel of channels) {
    const parts = sampleBytes(channel) / 2;
    for (let part = 0; part < parts; part++) {
      undoWavelet(words, plane + part, width, parts, rows, width * parts, most);
    }
    plane += width * rows * parts;
  }
  for (let i = 0; i < words.length; i++) words[i] = values[words[i]];
  return interleaveRows(words, block, expected);
}

/** The words that occur, in order: a bitmap of all 65536, of which only the bytes in use are stored. Zero is implied. */
function readValueMap(view: DataView): { values: Uint16Array; most: number; end: number } {
  if (view.byteLength < 4) throw new Error('a block is too short');
  const first = view.getUint16(0, true);
  const last = view.getUint16(2, true);
  if (last >= WORDS / 8) throw new Error('its table of values is damaged');
  const stored = Math.max(0, last - first + 1);
  if (4 + stored > view.byteLength) throw new Error('a block is too short');
  const values = new Uint16Array(WORDS);
  let count = 1;
  for (let byte = 0; byte < stored; byte++) {
    const bits = view.getUint8(4 + byte);
    for (let bit = 0; bit < 8; bit++) {
      const value = 8 * (first + byte) + bit;
      if (bits & (1 << bit) && value !== 0) values[count++] = value;
    }
  }
  return { values, most: count - 1, end: 4 + stored };
}

/** Words are stored channel after channel; samples row after row. */
function interleaveRows(words: Uint16Array, block: ExrBlock, expected: number): Uint8Array {
  const { width, rows, channels } = block;
  const out = new Uint16Array(expected / 2);
  let plane = 0;
  let before = 0;
  const rowWords = expected / 2 / rows;
  for (const channel of channels) {
    const length = (width * sampleBytes(channel)) / 2;
    for (let row = 0; row < rows; row++) {
      out.set(words.subarray(plane + row * length, plane + (row + 1) * length), row * rowWords + before);
    }
    plane += rows * length;
    before += length;
  }
  return new Uint8Array(out.buffer);
}

const SYMBOLS = WORDS + 1;
/** Codes up to this long are looked up at once. */
const FAST_BITS = 12;
/** Codes could be 58 bits long; beyond 52 a double does not hold them, and no block is large enough to need them. */
const LONGEST_CODE = 52;

/** Canonical codes by length: the first code of each length, how many there are, and their symbols in order. */
interface HuffmanTable {
  readonly firstCode: Float64Array;
  readonly count: Int32Array;
  readonly firstSymbol: Int32Array;
  readonly symbols: Int32Array;
  /** By the next `FAST_BITS` bits: symbol · 64 + length of its code, or 0. */
  readonly fast: Int32Array;
}

function decodeHuffman(data: Uint8Array, words: number): Uint16Array {
  if (data.length < 20) throw new Error('a block is too short');
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const first = view.getUint32(0, true);
  const runSymbol = view.getUint32(4, true);
  const bits = view.getUint32(12, true);
  if (first >= SYMBOLS || runSymbol >= SYMBOLS || first > runSymbol) {
    throw new Error('its table of codes is damaged');
  }
  const { lengths, end } = readCodeLengths(data, 20, first, runSymbol);
  if (bits > 8 * (data.length - end)) throw new Error('a block is too short');
  return decodeSymbols(data, end, bits, buildTable(lengths), runSymbol, words);
}

/** Six bits a length; 59–62 stand for 2–5 lengths of zero, 63 and eight more bits for 6–261. */
function readCodeLengths(
  data: Uint8Array,
  start: number,
  first: number,
  last: number,
): { lengths: Uint8Array; end: number } {
  const lengths = new Uint8Array(SYMBOLS);
  let at = start;
  let pool = 0;
  let held = 0;
  const take = (count: number): number => {
    while (held < count) {
      if (at >= data.length) throw new Error('its table of codes is cut short');
      pool = ((pool << 8) | data[at++]) & 0xffffff;
      held += 8;
    }
    held -= count;
    return (pool >> held) & ((1 << count) - 1);
  };
  for (let symbol = first; symbol <= last; ) {
    const length = take(6);
    if (length < 59) {
      lengths[symbol++] = length;
      continue;
    }
    symbol += length === 63 ? take(8) + 6 : length - 57;
    if (symbol > last + 1) throw new Error('its table of codes is damaged');
  }
  return { lengths, end: at };
}

function buildTable(lengths: Uint8Array): HuffmanTable {
  const count = new Int32Array(64);
  for (const length of lengths) if (length > 0) count[length]++;
  const firstCode = new Float64Array(64);
  const firstSymbol = new Int32Array(64);
  // The longest codes are the smallest numbers: each length starts where the longer ones, halved, end.
  let code = 0;
  for (let length = 58; length > 0; length--) {
    if (length > LONGEST_CODE && count[length] > 0) throw new Error('its table of codes is damaged');
    firstCode[length] = code;
    if (code + count[length] > 2 ** length) throw new Error('its table of codes is damaged');
    code = Math.floor((code + count[length]) / 2);
  }
  for (let length = 1; length < 63; length++) firstSymbol[length + 1] = firstSymbol[length] + count[length];
  const next = firstSymbol.slice();
  const symbols = new Int32Array(firstSymbol[63]);
  lengths.forEach((length, symbol) => {
    if (length > 0) symbols[next[length]++] = symbol;
  });
  return {
    firstCode,
    count,
    firstSymbol,
    symbols,
    fast: buildFastTable(firstCode, count, firstSymbol, symbols),
  };
}

function buildFastTable(
  firstCode: Float64Array,
  count: Int32Array,
  firstSymbol: Int32Array,
  symbols: Int32Array,
): Int32Array {
  const fast = new Int32Array(1 << FAST_BITS);
  for (let length = 1; length <= FAST_BITS; length++) {
    const span = 1 << (FAST_BITS - length);
    for (let i = 0; i < count[length]; i++) {
      const from = (firstCode[length] + i) * span;
      fast.fill(symbols[firstSymbol[length] + i] * 64 + length, from, from + span);
    }
  }
  return fast;
}

/** `runSymbol` is followed by eight bits: how often the word before it is repeated. */
function decodeSymbols(
  data: Uint8Array,
  start: number,
  bits: number,
  table: HuffmanTable,
  runSymbol: number,
  words: number,
): Uint16Array {
  const out = new Uint16Array(words);
  let at = start;
  let pool = 0;
  let held = 0;
  let left = bits;
  let o = 0;
  while (left > 0) {
    while (held <= 16 && at < data.length) {
      pool = ((pool << 8) | data[at++]) & 0xffffff;
      held += 8;
    }
    const peek = held >= FAST_BITS ? pool >> (held - FAST_BITS) : pool << (FAST_BITS - held);
    const found = table.fast[peek & ((1 << FAST_BITS) - 1)];
    let length = found & 63;
    let symbol = found >> 6;
    if (length === 0) {
      // A longer code: bit by bit.
      let code = 0;
      for (;;) {
        if (++length > LONGEST_CODE || length > left) throw new Error('it has a code that means nothing');
        if (held === 0) {
          if (at >= data.length) throw new Error('a block is too short');
          pool = data[at++];
          held = 8;
        }
        code = 2 * code + ((pool >> --held) & 1);
        const index = code - table.firstCode[length];
        if (length > FAST_BITS && index >= 0 && index < table.count[length]) {
          symbol = table.symbols[table.firstSymbol[length] + index];
          break;
        }
      }
    } else {
      held -= length;
    }
    left -= length;
    if (held < 0 || left < 0) throw new Error('a block is too short');
    if (symbol !== runSymbol) {
      if (o >= words) throw new Error('a block is too long');
      out[o++] = symbol;
      continue;
    }
    while (held < 8 && at < data.length) {
      pool = ((pool << 8) | data[at++]) & 0xffffff;
      held += 8;
    }
    if (held < 8 || left < 8) throw new Error('a block is too short');
    held -= 8;
    left -= 8;
    const run = (pool >> held) & 255;
    if (o === 0 || o + run > words) throw new Error('a run leaves its block');
    out.fill(out[o - 1], o, o + run);
    o += run;
  }
  if (o !== words) throw new Error('a block is too short');
  return out;
}

/**
 * Undoes the wavelet of one plane in place: from the coarsest level down, each 2 × 2 group of (average, differences)
 * becomes four words. Words below 2^14 use sums and differences that do not wrap, larger ones modular arithmetic.
 *
 * @param from first word; `dx`, `dy`: words from one sample to the next along x and y.
 * @param most the largest word that the encoder was given.
 */
function undoWavelet(
  words: Uint16Array,
  from: number,
  width: number,
  dx: number,
  height: number,
  dy: number,
  most: number,
): void {
  const undoPair = most < 1 << 14 ? undoSmallPair : undoWrappingPair;
  const shorter = Math.min(width, height);
  let half = 1;
  while (half <= shorter) half <<= 1;
  half >>= 2;
  for (; half >= 1; half >>= 1) {
    const whole = 2 * half;
    for (let y = 0; y + whole <= height; y += whole) {
      const row = from + y * dy;
      for (let x = 0; x + whole <= width; x += whole) {
        const a = row + x * dx;
        const b = a + half * dx;
        const c = a + half * dy;
        const d = c + half * dx;
        undoPair(words, a, c);
        undoPair(words, b, d);
        undoPair(words, a, b);
        undoPair(words, c, d);
      }
      if (width & half) {
        const a = row + Math.floor(width / whole) * whole * dx;
        undoPair(words, a, a + half * dy);
      }
    }
    if (height & half) {
      const row = from + Math.floor(height / whole) * whole * dy;
      for (let x = 0; x + whole <= width; x += whole) undoPair(words, row + x * dx, row + x * dx + half * dx);
    }
  }
}

function undoSmallPair(words: Uint16Array, low: number, high: number): void {
  const average = (words[low] << 16) >> 16;
  const difference = (words[high] << 16) >> 16;
  const a = average + (difference & 1) + (difference >> 1);
  words[low] = a;
  words[high] = a - difference;
}

function undoWrappingPair(words: Uint16Array, low: number, high: number): void {
  const average = words[low];
  const difference = words[high];
  const b = (average - (difference >> 1)) & 0xffff;
  words[low] = (difference + b - 0x8000) & 0xffff;
  words[high] = b;
}
