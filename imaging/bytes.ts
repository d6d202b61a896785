/** A buffer's bytes as samples, without a copy where its alignment allows. */
export function viewAs<T extends Uint8Array | Uint16Array | Float32Array>(
  kind: { new (buffer: ArrayBuffer, offset: number, length: number): T; BYTES_PER_ELEMENT: number },
  bytes: Uint8Array,
): T {
  const width = kind.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  return new kind(aligned.buffer as ArrayBuffer, aligned.byteOffset, Math.floor(aligned.byteLength / width));
}
