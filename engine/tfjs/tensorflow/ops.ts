import type { Tensor, Tf } from './tensorflow.js';

/**
 * The few operations that TensorFlow.js lacks, or differentiates too slowly on its cpu backend. All are linear in their
 * differentiable argument, so a gradient is just the transposed map.
 */

/** The same values without a gradient: what the page calls "not differentiated". */
export function detach(tf: Tf, x: Tensor): Tensor {
  return tf.tensor(x.dataSync(), x.shape, 'float32');
}

/**
 * out[i] = x[indices[i]] over the flattened x. TensorFlow.js differentiates its own gather with unsortedSegmentSum,
 * which on the cpu backend walks the whole input once for every row of the table; this one scatters in one pass, in
 * order (so it is deterministic) and in double precision.
 */
export function gather(tf: Tf, x: Tensor, indices: Int32Array, shape: number[]): Tensor {
  const map = tf.customGrad((input) => {
    const from = (input as Tensor).dataSync();
    const value = new Float32Array(indices.length);
    for (let i = 0; i < indices.length; i++) value[i] = from[indices[i]];
    const gradFunc = (dy: Tensor): Tensor => {
      const dValue = dy.dataSync();
      const sum = new Float64Array(x.size);
      for (let i = 0; i < indices.length; i++) sum[indices[i]] += dValue[i];
      return tf.tensor(new Float32Array(sum), x.shape, 'float32');
    };
    return { value: tf.tensor(value, shape, 'float32'), gradFunc };
  });
  return map(x);
}

/** Every element of x `times` times in a row: [a, a, …, b, b, …], in the asked shape. */
export function repeatEach(tf: Tf, x: Tensor, times: number, shape: number[]): Tensor {
  const indices = new Int32Array(x.size * times);
  for (let i = 0; i < x.size; i++) indices.fill(i, i * times, (i + 1) * times);
  return gather(tf, x, indices, shape);
}

/** Sums runs of `length` neighbours: [R · length] → [R]. A product with ones: fast both ways, unlike a reduction. */
export function sumRuns(tf: Tf, x: Tensor, length: number): Tensor {
  return tf.matMul(tf.reshape(x, [x.size / length, length]), tf.ones([length, 1])).flatten();
}

/** A tensor of typed values, float32. */
export function constant(tf: Tf, values: Float32Array, shape: number[]): Tensor {
  return tf.tensor(values, shape, 'float32');
}

/** The rows of a matrix [R, n] as tensors [n]. (TensorFlow.js cannot differentiate its own unstack into one piece.) */
export function rowsOf(tf: Tf, x: Tensor): Tensor[] {
  return x.shape[0] === 1 ? [x.flatten()] : tf.unstack(x);
}
