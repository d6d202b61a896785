/**
 * The network's weights: `edges.safetensors` beside this file, made by `training/`. For every layer of `layers.ts` it holds
 * NAME.weight [outputs][inputs][rows][columns] and NAME.bias [outputs], as 16-bit floats; their metadata say how they
 * were trained.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { assert } from '../../../model/errors.js';
import { decodeSafetensors } from '../../model-file/safetensors.js';
import { LAYERS, sizeOf, WEIGHTS } from './layers.js';

let loaded: Float32Array | undefined;

/** The weights, one layer behind the other as `layers.ts` wants them. */
export function edgeNetwork(): Float32Array {
  loaded ??= read(fileURLToPath(new URL('./edges.safetensors', import.meta.url)));
  return loaded;
}

function read(file: string): Float32Array {
  const { tensors } = decodeSafetensors(readFileSync(file), file);
  const network = new Float32Array(WEIGHTS);
  let at = 0;
  for (const layer of LAYERS) {
    const parts = [layer.outputs * layer.inputs * layer.taps, layer.outputs];
    for (const [k, kind] of ['weight', 'bias'].entries()) {
      const tensor = tensors.get(`${layer.name}.${kind}`);
      assert(
        tensor?.dtype === 'F16' && tensor.data.length === parts[k],
        `${file} has no ${kind} of ${layer.name}`,
      );
      network.set(floatsOf(tensor.data as Uint16Array), at + k * parts[0]);
    }
    at += sizeOf(layer);
  }
  return network;
}

/** Numbers of 16-bit floats: a sign, five bits of exponent, ten of mantissa. */
export function floatsOf(halves: Uint16Array): Float32Array {
  return Float32Array.from(halves, (bits) => {
    const exponent = (bits >> 10) & 31;
    const mantissa = bits & 1023;
    const size = exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25);
    return bits & 0x8000 ? -size : size;
  });
}
