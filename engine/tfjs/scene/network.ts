import type { Tensor, Tf } from '../tensorflow/tensorflow.js';

/**
 * A fully connected network on M inputs, feature-major: [in, M] → [out, M]. Parameters per layer W[out][in], then b[out];
 * the activation stands between layers, none after the last.
 */
export function network(
  tf: Tf,
  widths: readonly number[],
  parameters: Tensor,
  input: Tensor,
  activation: (x: Tensor) => Tensor,
): Tensor {
  const sizes: number[] = [];
  for (let l = 1; l < widths.length; l++) sizes.push(widths[l] * widths[l - 1], widths[l]);
  const pieces = tf.split(parameters, sizes);
  // The bias is one more column, and a row of ones its input: an inner broadcast costs more than the layer.
  const ones = tf.ones([1, input.shape[1]!]);
  let x = input;
  for (let l = 1; l < widths.length; l++) {
    const weights = tf.reshape(pieces[2 * l - 2], [widths[l], widths[l - 1]]);
    const bias = tf.reshape(pieces[2 * l - 1], [widths[l], 1]);
    x = tf.matMul(tf.concat([weights, bias], 1), tf.concat([x, ones], 0));
    if (l < widths.length - 1) x = activation(x);
  }
  return x;
}

/** Between the layers of every network but SIREN's. */
export function relu(tf: Tf): (x: Tensor) => Tensor {
  return (x) => tf.relu(x);
}

/** SIREN's: sin(ω x). */
export function sine(tf: Tf, omega: number): (x: Tensor) => Tensor {
  return (x) => tf.sin(tf.mul(x, omega));
}
