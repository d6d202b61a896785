import { totalmem } from 'node:os';
import { ImplicamError } from '../../model/errors.js';
import type { Plan } from '../../model/plan.js';
import { checkData, checkShards, checkState } from '../check.js';
import type { BakedPlanes, Engine, OpenOptions, SceneData, TrainingState } from '../engine.js';
import { builtFile, type DeviceDescription, type DeviceReport, loadAddon } from './addon.js';
import { type Carrier, deviceLink, findCarrier } from './device-link.js';
import { DeviceTrainer } from './device-trainer.js';
import { createProblem } from './problem.js';
import { createRenderer, type NativeRenderer } from './renderer.js';
import type { NativeTrainer } from './trainer.js';

export interface CudaOptions {
  /** A device by index or UUID (a beginning is enough). @default IMPLICAM_DEVICE, else the first */
  readonly device?: string;
  /**
   * `emulated`: the same kernels compiled for the processor, blocks and threads as loops: for tests. `device` is then the
   * order in which they run, forward, reverse or shuffled, and may tell a shape: `forward/132/228` has 132 multiprocessors of
   * 228 KiB shared memory, `forward/132/228/1000` also no more than 1000 KiB. @default IMPLICAM_CUDA, else cuda
   */
  readonly library?: Library;
  /** Path of the library of NCCL, or `none`. @default IMPLICAM_NCCL, else where it is usually; the emulation has no usual one */
  readonly nccl?: string;
}

type Library = 'cuda' | 'emulated';

/** The device engine: the kernels of engine/native/cuda. */
export interface CudaEngine extends Engine {
  /** Bytes free on the device when it was chosen. */
  readonly deviceMemory: number;
  open(
    plan: Plan,
    data: SceneData,
    state: TrainingState,
    options?: OpenOptions,
  ): Promise<NativeTrainer & DeviceTrainer>;
  /** Holds a baked scene on the device, ready to render. */
  renderer(width: number, height: number, planes: BakedPlanes): NativeRenderer;
  /** Multiply-adds (FLOP/s) and copied bytes a second, measured now for about `seconds` each. */
  peak(seconds: number): Promise<{ flops: number; bytes: number }>;
}

const LIBRARIES = { cuda: 'implicam-cuda.so', emulated: 'implicam-cuda-emulated.so' } as const;

/** What there is of CUDA on this machine, and why it cannot be used where it cannot. */
export interface CudaStatus {
  readonly usable: boolean;
  readonly reason?: string;
  readonly library?: string;
  readonly architectures?: string;
  /** Versions, as "13.0"; no driver: undefined. */
  readonly driver?: string;
  readonly runtime?: string;
  /** What carries gradients from device to device. */
  readonly nccl?: Carrier;
  readonly devices: readonly DeviceDescription[];
}

/** Looks for the CUDA library, a driver and devices; never throws. */
export function cudaStatus(): CudaStatus {
  const addon = loadAddon();
  if (!addon) return { usable: false, reason: 'the native core is not built', devices: [] };
  const library = builtFile(LIBRARIES.cuda);
  if (!library) {
    const reason = 'its library is not built: install the CUDA toolkit (nvcc) and run npm run build:native';
    return { usable: false, reason, devices: [] };
  }
  try {
    const report = addon.devices(library);
    const { architectures, devices } = report;
    const reason = reasonAgainst(report);
    return {
      usable: reason === undefined,
      ...(reason ? { reason } : {}),
      library,
      architectures,
      ...(report.driver ? { driver: versionText(report.driver) } : {}),
      runtime: versionText(report.runtime),
      nccl: findCarrier(library),
      devices,
    };
  } catch (error) {
    return {
      usable: false,
      reason: `its library does not load (${(error as Error).message})`,
      library,
      devices: [],
    };
  }
}

function reasonAgainst(report: DeviceReport): string | undefined {
  if (report.driver === 0) return 'no NVIDIA driver is installed';
  if (report.devices.length > 0) return undefined;
  return `the driver offers no device${report.reason ? ` (${report.reason})` : ''}`;
}

const versionText = (v: number) => `${Math.floor(v / 1000)}.${Math.floor((v % 1000) / 10)}`;

/** Emulated devices of this process, each one of its own. */
let emulations = 0;

/**
 * The engine on a graphics processor. Throws where it cannot run, with the reason: what is asked for is never replaced by
 * something else in silence.
 */
export function createCudaEngine(options: CudaOptions = {}): CudaEngine {
  const kind = options.library ?? (process.env.IMPLICAM_CUDA === 'emulated' ? 'emulated' : 'cuda');
  const device = options.device ?? (kind === 'cuda' ? (process.env.IMPLICAM_DEVICE ?? '') : '');
  const addon = loadAddon();
  const library = builtFile(LIBRARIES[kind]);
  if (kind === 'cuda') {
    const { usable, reason } = cudaStatus();
    if (!usable) throw unusable(`${reason}`);
  }
  if (!addon || !library) throw unusable('its library is not built: run npm run build:native');
  const place = { library, device };
  const carrier = findCarrier(library, kind === 'emulated', options.nccl);
  const found = kind === 'cuda' ? findDevice(cudaStatus().devices, device) : undefined;
  return {
    name: 'cuda',
    // One generation's machine code, in sums of fixed shape: the number of multiprocessors changes no bit.
    deviceMemory: found?.free ?? totalmem(),
    kind: found ? `cuda ${found.major}.${found.minor}` : 'cuda emulated',
    device: found ? `cuda ${found.index}: ${found.name}` : 'cuda kernels, emulated',
    reducing: true,
    link: deviceLink(library, found?.uuid ?? `emulated ${process.pid}.${++emulations}`, carrier),
    peak: (seconds) => guarded(() => addon.devicePeak(place, seconds)),
    renderer(width, height, planes) {
      const renderer = sync(
        () => new addon.DeviceRenderer(width, height, planes.radiance, planes.defocus, place),
      );
      return createRenderer(renderer, width, height);
    },
    async open(plan, data, state, options = {}) {
      checkData(plan, data);
      checkState(plan, state);
      const shards = checkShards(plan, options.shards);
      const trainer = sync(() => new addon.Trainer(createProblem(plan, data, shards), place));
      sync(() => trainer.load(state.step, state.parameters, state.m, state.v));
      const path = 'missing' in carrier ? '' : carrier.path;
      return new DeviceTrainer(plan, shards, trainer, state.step, deviceError, path);
    },
  };
}

/** The device that was asked for; throws where there is none such. */
function findDevice(
  devices: readonly DeviceDescription[],
  wanted: string,
): DeviceDescription & { readonly index: number } {
  const byIndex = /^\d+$/.test(wanted) ? devices[Number(wanted)] : undefined;
  const found = wanted === '' ? devices[0] : (byIndex ?? devices.find((d) => d.uuid.startsWith(wanted)));
  if (!found) {
    const there = devices.map((d, i) => `${i} (${d.name}, ${d.uuid})`).join(', ');
    throw unusable(`there is no device ${wanted}; there is ${there}`);
  }
  return { ...found, index: devices.indexOf(found) };
}

function unusable(reason: string): ImplicamError {
  return new ImplicamError(
    'engine-unusable',
    `the CUDA engine cannot be used: ${reason}; implicam doctor tells more, --engine native computes on the processor`,
    { status: 501 },
  );
}

/** Failures of the device (no memory, a lost device) as errors of ours, with what it said. */
function sync<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw deviceError(error);
  }
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw deviceError(error);
  }
}

function deviceError(error: unknown): ImplicamError {
  if (error instanceof ImplicamError) return error;
  const { message } = error as Error;
  const memory = message.startsWith('out of memory');
  return new ImplicamError(
    memory ? 'out-of-memory' : 'device-failed',
    memory
      ? `${message}; free some, choose another device, or let the trainer go to one that can hold it`
      : message,
    { status: memory ? 507 : 500, cause: error },
  );
}
