/**
 * What the network at depth edges consists of. All arithmetic is in single precision with every product and every sum
 * rounded, in a fixed order, so that the compiled loops (`engine/native/start/edges.cpp`) give the same bits on every
 * machine: fused multiply-adds, which not every machine has, would not.
 */

/** Channels at half the size and at a quarter. */
export const FINE = 44;
export const COARSE = 52;
/** Channels of a level's input: 13 planes of four neighbouring pixels each, and the two spans. */
export const INPUT = 54;
/** Of its output: seven planes of four neighbouring pixels each. */
export const OUTPUT = 28;

/** A convolution: its weights [outputs][inputs][taps] and biases [outputs] lie one behind the other. */
export interface Layer {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  /** 9 for 3 × 3, 1 for 1 × 1. */
  readonly taps: 9 | 1;
}

const square = (name: string, inputs: number, outputs: number): Layer => ({ name, inputs, outputs, taps: 9 });

/** In the order in which their numbers lie. */
export const LAYERS = [
  square('enter', INPUT, FINE),
  square('before.0', FINE, FINE),
  square('before.1', FINE, FINE),
  square('down', FINE, COARSE),
  square('middle.0', COARSE, COARSE),
  square('middle.1', COARSE, COARSE),
  square('middle.2', COARSE, COARSE),
  { name: 'up', inputs: COARSE, outputs: FINE, taps: 1 },
  square('after.0', FINE, FINE),
  square('after.1', FINE, FINE),
  square('leave', FINE, OUTPUT),
] as const satisfies readonly Layer[];

/** How many numbers a layer has. */
export const sizeOf = ({ inputs, outputs, taps }: Layer): number => outputs * (inputs * taps + 1);

/** How many numbers the network has. */
export const WEIGHTS = LAYERS.reduce((sum, layer) => sum + sizeOf(layer), 0);

/** Zeros around a plane, as far as a convolution reaches. */
const PAD = 2;

/** Planes of one size, their rows side by side: [y][channel][x], with a border of zeros. */
export class Planes {
  readonly pitch: number;
  readonly data: Float32Array;

  constructor(
    readonly channels: number,
    readonly width: number,
    readonly height: number,
  ) {
    this.pitch = width + 2 * PAD;
    this.data = new Float32Array((height + 2 * PAD) * channels * this.pitch);
  }

  /** Where row `y` of a channel begins, −PAD ≤ y < height + PAD. */
  row(y: number, channel: number): number {
    return ((y + PAD) * this.channels + channel) * this.pitch + PAD;
  }
}

const { fround } = Math;

/** Slope of the leaky rectifier below 0. */
const LEAK = fround(0.1);

/** A convolution as it is applied: which layer, how far apart its taps and its outputs are, and what comes after. */
export interface Convolution {
  readonly layer: number;
  readonly dilation?: 1 | 2;
  readonly stride?: 1 | 2;
  /** `rectified`: leaky rectifier; `residual`: the same, added to the input; `plain`: neither. */
  readonly ending: 'plain' | 'rectified' | 'residual';
}

/** Where each layer's numbers begin. */
const STARTS = LAYERS.map((_, i) => LAYERS.slice(0, i).reduce((sum, layer) => sum + sizeOf(layer), 0));

export function convolve(network: Float32Array, input: Planes, how: Convolution): Planes {
  const { layer, dilation = 1, stride = 1, ending } = how;
  const { inputs, outputs, taps } = LAYERS[layer];
  const weights = STARTS[layer];
  const biases = weights + outputs * inputs * taps;
  const out = new Planes(outputs, input.width / stride, input.height / stride);
  const side = taps === 9 ? 3 : 1;
  for (let y = 0; y < out.height; y++) {
    for (let o = 0; o < outputs; o++) {
      const sums = out.data.subarray(out.row(y, o), out.row(y, o) + out.width);
      sums.fill(network[biases + o]);
      let w = weights + o * inputs * taps;
      for (let i = 0; i < inputs; i++) {
        for (let t = 0; t < taps; t++, w++) {
          const [dy, dx] = [Math.floor(t / side) - (side >> 1), (t % side) - (side >> 1)];
          const from = input.row(y * stride + dy * dilation, i) + dx * dilation;
          addScaled(sums, network[w], input.data, from, stride);
        }
      }
      if (ending !== 'plain') rectify(sums, ending === 'residual' ? input : undefined, input.row(y, o));
    }
  }
  return out;
}

function addScaled(
  sums: Float32Array,
  weight: number,
  source: Float32Array,
  from: number,
  stride: number,
): void {
  for (let x = 0, p = from; x < sums.length; x++, p += stride) {
    sums[x] = fround(sums[x] + fround(weight * source[p]));
  }
}

function rectify(sums: Float32Array, input: Planes | undefined, at: number): void {
  for (let x = 0; x < sums.length; x++) {
    const value = sums[x] < 0 ? fround(LEAK * sums[x]) : sums[x];
    sums[x] = input ? fround(input.data[at + x] + value) : value;
  }
}

/** Weights of the nearer and of the further of two neighbours when a plane is enlarged to twice its size. */
const NEARER = 0.75;
const FURTHER = 0.25;

/** Value at `row` + x/2 of planes that are enlarged twofold: first between columns, then between rows. */
export function between(near: Float32Array, far: Float32Array, i: number, j: number): number {
  const a = fround(fround(NEARER * near[i]) + fround(FURTHER * near[j]));
  const b = fround(fround(NEARER * far[i]) + fround(FURTHER * far[j]));
  return fround(fround(NEARER * a) + fround(FURTHER * b));
}

/** Adds planes of half the size, enlarged; beyond the border the nearest pixel repeats. */
export function addEnlarged(planes: Planes, half: Planes): void {
  for (let y = 0; y < planes.height; y++) {
    const row = y >> 1;
    const other = Math.min(half.height - 1, Math.max(0, row + (y % 2 === 0 ? -1 : 1)));
    for (let c = 0; c < planes.channels; c++) {
      const near = half.data.subarray(half.row(row, c), half.row(row, c) + half.width);
      const far = half.data.subarray(half.row(other, c), half.row(other, c) + half.width);
      const to = planes.row(y, c);
      for (let x = 0; x < planes.width; x++) {
        const i = x >> 1;
        const j = Math.min(half.width - 1, Math.max(0, i + (x % 2 === 0 ? -1 : 1)));
        planes.data[to + x] = fround(planes.data[to + x] + between(near, far, i, j));
      }
    }
  }
}

/** The layers from a level's input to its output. */
export function applyLayers(network: Float32Array, input: Planes): Planes {
  let x = convolve(network, input, { layer: 0, ending: 'rectified' });
  for (const layer of [1, 2]) x = convolve(network, x, { layer, ending: 'residual' });
  let y = convolve(network, x, { layer: 3, stride: 2, ending: 'rectified' });
  for (const layer of [4, 5, 6]) {
    y = convolve(network, y, { layer, dilation: layer === 5 ? 2 : 1, ending: 'residual' });
  }
  addEnlarged(x, convolve(network, y, { layer: 7, ending: 'plain' }));
  for (const layer of [8, 9]) x = convolve(network, x, { layer, ending: 'residual' });
  return convolve(network, x, { layer: 10, ending: 'plain' });
}
