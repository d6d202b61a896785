import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs';
import { multiply } from './matmul.js';
import type { Tf } from './tensorflow.js';

/**
 * Faster kernels for the pure JavaScript cpu backend: the few operations that a step spends its time in, for the shapes
 * that it uses; everything else falls through to the backend's own. They change how a value is computed, never what is
 * differentiated.
 */

interface CpuBackend {
  readonly data: { get(id: object): { readonly values: Float32Array } };
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): TensorInfo;
}

/** Replaces kernels of the cpu backend, once a process. */
export function registerFastKernels(tf: Tf): void {
  const replace = (kernelName: string, make: (original: KernelFunc) => KernelFunc) => {
    const config = tf.getKernel(kernelName, 'cpu');
    tf.unregisterKernel(kernelName, 'cpu');
    tf.registerKernel({ ...config, kernelFunc: make(config.kernelFunc) });
  };
  replace('Add', (original) => binaryKernel(original, add));
  replace('Sub', (original) => binaryKernel(original, subtract));
  replace('Multiply', (original) => binaryKernel(original, times));
  replace('RealDiv', (original) => binaryKernel(original, divide));
  replace('Sum', sumKernel);
  replace('BatchMatMul', matMulKernel);
}

/**
 * out[r · inner + i] = a[…] op b[…]: `outer` runs of `inner` values; an operand that is as long as one run repeats
 * with every run, one that is a single number has length 1.
 */
type Elementwise = (a: Float32Array, b: Float32Array, out: Float32Array) => void;

const add: Elementwise = (a, b, out) => {
  const [na, nb] = [a.length, b.length];
  if (na === nb) for (let i = 0; i < na; i++) out[i] = a[i] + b[i];
  else if (na < nb) add(b, a, out);
  else if (nb === 1) for (let i = 0, v = b[0]; i < na; i++) out[i] = a[i] + v;
  else for (let r = 0; r < na; r += nb) for (let i = 0; i < nb; i++) out[r + i] = a[r + i] + b[i];
};

const subtract: Elementwise = (a, b, out) => {
  const [na, nb] = [a.length, b.length];
  if (na === nb) for (let i = 0; i < na; i++) out[i] = a[i] - b[i];
  else if (nb === 1) for (let i = 0, v = b[0]; i < na; i++) out[i] = a[i] - v;
  else if (na === 1) for (let i = 0, v = a[0]; i < nb; i++) out[i] = v - b[i];
  else if (nb < na)
    for (let r = 0; r < na; r += nb) for (let i = 0; i < nb; i++) out[r + i] = a[r + i] - b[i];
  else for (let r = 0; r < nb; r += na) for (let i = 0; i < na; i++) out[r + i] = a[i] - b[r + i];
};

const times: Elementwise = (a, b, out) => {
  const [na, nb] = [a.length, b.length];
  if (na === nb) for (let i = 0; i < na; i++) out[i] = a[i] * b[i];
  else if (na < nb) times(b, a, out);
  else if (nb === 1) for (let i = 0, v = b[0]; i < na; i++) out[i] = a[i] * v;
  else for (let r = 0; r < na; r += nb) for (let i = 0; i < nb; i++) out[r + i] = a[r + i] * b[i];
};

const divide: Elementwise = (a, b, out) => {
  const [na, nb] = [a.length, b.length];
  if (na === nb) for (let i = 0; i < na; i++) out[i] = a[i] / b[i];
  else if (nb === 1) for (let i = 0, v = b[0]; i < na; i++) out[i] = a[i] / v;
  else if (na === 1) for (let i = 0, v = a[0]; i < nb; i++) out[i] = v / b[i];
  else if (nb < na)
    for (let r = 0; r < na; r += nb) for (let i = 0; i < nb; i++) out[r + i] = a[r + i] / b[i];
  else for (let r = 0; r < nb; r += na) for (let i = 0; i < na; i++) out[r + i] = a[i] / b[r + i];
};

/** Same shape, a single number, or an operand that repeats along leading dimensions only. */
function binaryKernel(original: KernelFunc, operation: Elementwise): KernelFunc {
  return (args) => {
    const { a, b } = args.inputs as { a: TensorInfo; b: TensorInfo };
    const shape = a.dtype === 'float32' && b.dtype === 'float32' ? simpleShape(a.shape, b.shape) : undefined;
    if (!shape) return original(args);
    const backend = args.backend as CpuBackend;
    const [x, y] = [valuesOf(backend, a), valuesOf(backend, b)];
    const out = new Float32Array(Math.max(x.length, y.length));
    operation(x, y, out);
    return backend.makeTensorInfo(shape, 'float32', out);
  };
}

/** The result's shape where no operand has to be stretched along an inner dimension. */
function simpleShape(a: number[], b: number[]): number[] | undefined {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const one = short.every((n) => n === 1);
  if (one || endsWith(long, short)) return long;
  return long.length === short.length && long.every((n) => n === 1) ? short : undefined;
}

function endsWith(long: number[], short: number[]): boolean {
  const skip = long.length - short.length;
  return short.every((n, i) => n === long[skip + i]);
}

/** Sums over the leading dimensions (what the gradient of a repeated operand asks for) without a transposition. */
function sumKernel(original: KernelFunc): KernelFunc {
  return (args) => {
    const x = args.inputs.x as TensorInfo;
    const { axis, keepDims } = args.attrs as { axis: number | number[]; keepDims: boolean };
    const axes = Array.isArray(axis) ? axis : [axis];
    const leading = axes.length < x.shape.length && axes.every((a, i) => a === i);
    if (x.dtype !== 'float32' || keepDims || !leading) return original(args);
    const backend = args.backend as CpuBackend;
    const values = valuesOf(backend, x);
    const shape = x.shape.slice(axes.length);
    const inner = shape.reduce((p, n) => p * n, 1);
    const sums = new Float64Array(inner);
    for (let r = 0; r < values.length; r += inner) {
      for (let i = 0; i < inner; i++) sums[i] += values[r + i];
    }
    return backend.makeTensorInfo(shape, 'float32', new Float32Array(sums));
  };
}

function matMulKernel(original: KernelFunc): KernelFunc {
  return (args) => {
    const { a, b } = args.inputs as { a: TensorInfo; b: TensorInfo };
    if (a.shape.length !== 2 || b.shape.length !== 2) return original(args);
    const { transposeA, transposeB } = args.attrs as { transposeA: boolean; transposeB: boolean };
    const backend = args.backend as CpuBackend;
    const [m, k] = transposeA ? [a.shape[1], a.shape[0]] : [a.shape[0], a.shape[1]];
    const n = transposeB ? b.shape[0] : b.shape[1];
    const out = multiply(valuesOf(backend, a), valuesOf(backend, b), m, k, n, transposeA, transposeB);
    return backend.makeTensorInfo([m, n], 'float32', out);
  };
}

function valuesOf(backend: CpuBackend, x: TensorInfo): Float32Array {
  return backend.data.get(x.dataId).values;
}
