import { expect, test } from 'vitest';
import { RandomStream, Stream } from '../../../model/philox.js';
import {
  addEnlarged,
  COARSE,
  type Convolution,
  convolve,
  FINE,
  LAYERS,
  Planes,
  sizeOf,
  WEIGHTS,
} from './layers.js';

const random = new RandomStream(3, Stream.scene);
const network = Float32Array.from({ length: WEIGHTS }, () => 0.4 * random.unit() - 0.2);

function planes(channels: number, width: number, height: number): Planes {
  const out = new Planes(channels, width, height);
  for (let y = 0; y < height; y++) {
    for (let c = 0; c < channels; c++) {
      for (let x = 0; x < width; x++) out.data[out.row(y, c) + x] = random.unit() - 0.4;
    }
  }
  return out;
}

/** The sum that a convolution is, as one would write it down. */
function expected(
  input: Planes,
  { layer, dilation = 1, stride = 1, ending }: Convolution,
  o: number,
  y: number,
  x: number,
) {
  const { inputs, outputs, taps } = LAYERS[layer];
  const start = LAYERS.slice(0, layer).reduce((sum, l) => sum + sizeOf(l), 0);
  const reach = taps === 9 ? 1 : 0;
  let sum = network[start + outputs * inputs * taps + o];
  let w = start + o * inputs * taps;
  for (let i = 0; i < inputs; i++) {
    for (let dy = -reach; dy <= reach; dy++) {
      for (let dx = -reach; dx <= reach; dx++, w++) {
        const [yy, xx] = [y * stride + dy * dilation, x * stride + dx * dilation];
        const inside = yy >= 0 && yy < input.height && xx >= 0 && xx < input.width;
        if (inside) sum += network[w] * input.data[input.row(yy, i) + xx];
      }
    }
  }
  if (ending === 'plain') return sum;
  const rectified = sum < 0 ? 0.1 * sum : sum;
  return ending === 'residual' ? input.data[input.row(y, o) + x] + rectified : rectified;
}

test.each([
  { layer: 0, ending: 'rectified' },
  { layer: 1, ending: 'residual' },
  { layer: 3, ending: 'rectified', stride: 2 },
  { layer: 5, ending: 'residual', dilation: 2 },
  { layer: 7, ending: 'plain' },
] as Convolution[])('convolution %o', (how) => {
  const input = planes(LAYERS[how.layer].inputs, 8, 6);
  const out = convolve(network, input, how);
  expect([out.channels, out.width]).toEqual([LAYERS[how.layer].outputs, 8 / (how.stride ?? 1)]);
  for (let y = 0; y < out.height; y++) {
    for (let o = 0; o < out.channels; o += 5) {
      for (let x = 0; x < out.width; x++) {
        expect(out.data[out.row(y, o) + x]).toBeCloseTo(expected(input, how, o, y, x), 4);
      }
    }
  }
});

test('planes are enlarged with weights of a quarter and three quarters', () => {
  const half = new Planes(1, 2, 2);
  half.data.set([4, 8], half.row(0, 0));
  half.data.set([0, 16], half.row(1, 0));
  const out = new Planes(1, 4, 4);
  addEnlarged(out, half);
  const rows = [0, 1, 2, 3].map((y) => Array.from(out.data.subarray(out.row(y, 0), out.row(y, 0) + 4)));
  expect(rows[0]).toEqual([4, 5, 7, 8]);
  expect(rows[1]).toEqual([3, 4.75, 8.25, 10]);
  expect(rows[3]).toEqual([0, 4, 12, 16]);
});

test('the network has as many numbers as its layers', () => {
  expect([FINE, COARSE, WEIGHTS]).toEqual([44, 52, 198_556]);
});
