import { ImplicamError } from '../../../model/errors.js';
import { hasTfjs, INSTALL_TFJS, PEERS } from '../packages.js';
import { registerFastKernels } from './kernels.js';
import type { Tf } from './tensorflow.js';

export interface Backend {
  readonly tf: Tf;
  /** For reports: "tfjs cpu", "tfjs-node tensorflow", … */
  readonly device: string;
}

let loading: Promise<Backend> | undefined;

/** Loads TensorFlow.js, once a process: the best installed peer, else the pure JavaScript package. */
export function loadBackend(): Promise<Backend> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Backend> {
  if (!hasTfjs()) {
    throw new ImplicamError('engine-missing', `the tfjs engine is not installed: ${INSTALL_TFJS}`, {
      status: 501,
    });
  }
  const broken: string[] = [];
  for (const name of PEERS) {
    try {
      const tf = await importTf(name);
      await tf.ready();
      return { tf, device: `${name.split('/')[1]} ${tf.getBackend()}${noteOf(broken)}` };
    } catch (error) {
      // Not installed is the usual case; installed but broken is worth a word in the report.
      if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') broken.push(name);
    }
  }
  const tf = await importTf('@tensorflow/tfjs');
  // Production mode only silences the advice to install tfjs-node and skips checks of shapes known here.
  tf.enableProdMode();
  if (!(await tf.setBackend('cpu'))) {
    throw new ImplicamError(
      'engine-unavailable',
      'TensorFlow.js has no cpu backend here; reinstall @tensorflow/tfjs',
      {
        status: 500,
      },
    );
  }
  registerFastKernels(tf);
  return { tf, device: `tfjs cpu${noteOf(broken)}` };
}

async function importTf(name: string): Promise<Tf> {
  const module = (await import(name)) as Tf & { default?: Tf };
  return module.default ?? module;
}

function noteOf(broken: readonly string[]): string {
  return broken.length > 0 ? ` (${broken.join(', ')} did not load)` : '';
}
