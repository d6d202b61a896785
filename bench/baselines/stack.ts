/** What the baselines work on: registered photographs of one size, by focus. */
export interface PhotoStack {
  readonly width: number;
  readonly height: number;
  /** One bracket per focus plane. */
  readonly brackets: readonly Bracket[];
}

/** Photographs that differ in exposure alone. */
export interface Bracket {
  /** Interleaved RGB, 8 bits. */
  readonly pixels: readonly Uint8Array[];
  /** Exposure of each photograph in stops; known, as the baselines are told. */
  readonly evs: readonly number[];
}

/** Natural logarithm of radiance for every pixel value, 256 numbers a channel. */
export type LogResponse = readonly [Float64Array, Float64Array, Float64Array];
