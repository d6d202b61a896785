/** Buffers that wait to be used again, at most: a few steps' values. */
const KEPT = 16;

/**
 * Memory that is used again and again. What a step sends and receives has about the same size as the last time, and
 * megabytes a step that are left to the garbage collector cost more than all else about them: it runs whenever so much
 * memory beyond its own heap was asked for.
 */
export class BufferPool {
  private readonly free: ArrayBuffer[] = [];
  private readonly lent = new WeakSet<ArrayBufferLike>();

  /** Memory of `length` bytes, with anything in it. */
  lend(length: number): Buffer {
    // Not much larger ones: a small value must not hold the memory of the largest.
    const at = this.free.findIndex(({ byteLength }) => byteLength >= length && byteLength <= 4 * length);
    const memory = at >= 0 ? this.free.splice(at, 1)[0] : new ArrayBuffer(length + (length >> 2));
    this.lent.add(memory);
    return Buffer.from(memory, 0, length);
  }

  /** Takes memory back that `lend` gave, and nothing else; nobody may look at it any more. */
  giveBack({ buffer }: Uint8Array): void {
    if (!(buffer instanceof ArrayBuffer) || !this.lent.delete(buffer)) return;
    this.free.push(buffer);
    if (this.free.length > KEPT) this.free.shift();
  }
}
