import { ImplicamError } from '../../model/errors.js';

/**
 * The safetensors format (github.com/huggingface/safetensors): 8 bytes with the length of the header, the header as
 * JSON, then the tensors' bytes, little-endian and without holes. Reading is strict: a header is somebody else's word.
 */

/** Kinds of numbers and how they lie in memory; 16-bit floats come as their bits. */
const ARRAYS = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  I32: Int32Array,
  U32: Uint32Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const;

type TensorType = keyof typeof ARRAYS;

/** The array that holds a tensor of each type. */
interface DataOf {
  F64: Float64Array;
  F32: Float32Array;
  F16: Uint16Array;
  BF16: Uint16Array;
  I64: BigInt64Array;
  U64: BigUint64Array;
  I32: Int32Array;
  U32: Uint32Array;
  I16: Int16Array;
  U16: Uint16Array;
  I8: Int8Array;
  U8: Uint8Array;
  BOOL: Uint8Array;
}

/** A named array of numbers, row-major. */
export interface Tensor<T extends TensorType = TensorType> {
  readonly dtype: T;
  readonly shape: readonly number[];
  readonly data: DataOf[T];
}

/** What a file holds: tensors by name, and strings by name. */
export interface SafeTensors {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Longest header that is read. The format allows 100 MB; ours are some kilobytes. */
const LONGEST_HEADER = 16 * 2 ** 20;
const METADATA = '__metadata__';

/**
 * The bytes of a file. Tensors are stored widest type first and then by name, as the format's own writer does: every
 * tensor is then aligned, and the same tensors give the same bytes.
 *
 * @throws ImplicamError `tensor-invalid` when a tensor's data do not fill its shape, or one has a reserved name.
 */
export function encodeSafetensors(
  tensors: Iterable<readonly [string, Tensor]>,
  metadata: Iterable<readonly [string, string]> = [],
): Uint8Array {
  const sorted = [...tensors].sort(
    ([a, x], [b, y]) => y.data.BYTES_PER_ELEMENT - x.data.BYTES_PER_ELEMENT || (a < b ? -1 : a > b ? 1 : 0),
  );
  const strings = [...metadata].sort(([a], [b]) => (a < b ? -1 : 1));
  const entries: [string, unknown][] = strings.length > 0 ? [[METADATA, Object.fromEntries(strings)]] : [];
  const names = new Set<string>([METADATA]);
  let end = 0;
  for (const [name, { dtype, shape, data }] of sorted) {
    if (names.has(name)) throw invalid(`two tensors are named "${name}", or the name is reserved`);
    names.add(name);
    if (!(data instanceof ARRAYS[dtype]) || elements(shape) !== data.length) {
      throw invalid(`"${name}" holds ${data.length} numbers, not ${dtype} of shape [${shape}]`);
    }
    entries.push([name, { dtype, shape, data_offsets: [end, end + data.byteLength] }]);
    end += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  // Spaces after the header keep the tensors aligned to 8 bytes.
  const header = 8 * Math.ceil(json.length / 8);
  const bytes = new Uint8Array(8 + header + end).fill(0x20, 8, 8 + header);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header), true);
  bytes.set(json, 8);
  let at = 8 + header;
  for (const [, { data }] of sorted) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/**
 * Reads a file's bytes. Tensors are views of them where alignment allows, copies elsewhere.
 *
 * @param name of the file, for messages.
 * @throws ImplicamError `file-corrupt` for anything that the format does not allow: a header that is too long, cut
 * short or no JSON, unknown types, shapes that disagree with sizes, tensors that overlap, leave holes or reach
 * beyond the end, bytes that belong to no tensor.
 */
export function decodeSafetensors(bytes: Uint8Array, name: string): SafeTensors {
  const corrupt = (what: string, cause?: unknown) =>
    new ImplicamError(
      'file-corrupt',
      `${name} is no safetensors file: ${what}; copy or create the file again`,
      { status: 422, cause },
    );
  const { header, body } = readHeader(bytes, corrupt);
  const metadata = new Map<string, string>();
  const tensors = new Map<string, Tensor>();
  const spans: { begin: number; end: number; key: string }[] = [];
  for (const [key, entry] of Object.entries(header)) {
    if (key === METADATA) {
      if (!isRecord(entry)) throw corrupt('its metadata are no strings by name');
      for (const [k, v] of Object.entries(entry)) {
        if (typeof v !== 'string') throw corrupt(`its metadata "${k}" is no string`);
        metadata.set(k, v);
      }
      continue;
    }
    const { dtype, shape, begin, end } = readEntry(key, entry, body.length, corrupt);
    spans.push({ begin, end, key });
    tensors.set(key, { dtype, shape, data: viewOf(dtype, body.subarray(begin, end)) });
  }
  spans.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { begin, end, key } of spans) {
    if (begin !== covered) {
      throw corrupt(`tensor "${key}" ${begin < covered ? 'overlaps another' : 'leaves a hole before it'}`);
    }
    covered = end;
  }
  if (covered !== body.length) throw corrupt(`${body.length - covered} bytes belong to no tensor`);
  return { tensors, metadata };
}

type Corrupt = (what: string, cause?: unknown) => ImplicamError;

function readHeader(bytes: Uint8Array, corrupt: Corrupt) {
  if (bytes.length < 8) throw corrupt('it is shorter than a header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(LONGEST_HEADER)) throw corrupt(`its header claims ${length} bytes`);
  const start = 8 + Number(length);
  if (start > bytes.length) throw corrupt('it ends within its header');
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, start)));
  } catch (cause) {
    throw corrupt('its header is no JSON', cause);
  }
  if (!isRecord(header)) throw corrupt('its header names no tensors');
  return { header, body: bytes.subarray(start) };
}

function readEntry(key: string, entry: unknown, size: number, corrupt: Corrupt) {
  if (!isRecord(entry)) throw corrupt(`tensor "${key}" is not described`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !Object.hasOwn(ARRAYS, dtype)) {
    throw corrupt(`tensor "${key}" is of an unknown type`);
  }
  if (!isCounts(shape) || shape.length > 32) throw corrupt(`tensor "${key}" has no shape`);
  if (!isCounts(offsets) || offsets.length !== 2) throw corrupt(`tensor "${key}" has no place`);
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > size) throw corrupt(`tensor "${key}" reaches beyond the end of the file`);
  const type = dtype as TensorType;
  if (elements(shape) * ARRAYS[type].BYTES_PER_ELEMENT !== end - begin) {
    throw corrupt(`tensor "${key}" has ${end - begin} bytes, not those of ${dtype} of shape [${shape}]`);
  }
  return { dtype: type, shape, begin, end };
}

function viewOf(dtype: TensorType, bytes: Uint8Array): Tensor['data'] {
  const array = ARRAYS[dtype];
  const width = array.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  return new array(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / width);
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function invalid(message: string): ImplicamError {
  return new ImplicamError('tensor-invalid', `safetensors: ${message}`, { status: 500 });
}
