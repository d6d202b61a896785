import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { PeerLost, Root, StepSums } from '../engine.js';
import type { AddonStartKernels } from './addon-start.js';
import type { Problem } from './problem.js';

/** The addon's trainer: see engine/native/addon/addon.cpp. Calls must not overlap; errors with code `refused` changed nothing. */
export interface AddonTrainer {
  load(step: number, parameters: Float32Array, m: Float32Array, v: Float32Array): void;
  save(parameters: Float32Array, m: Float32Array, v: Float32Array): number;
  saveRuns(ends: Float64Array, out: Float32Array): Promise<void>;
  setParameters(parameters: Float64Array): void;
  train(
    factors: Float32Array,
    gammas: Float32Array,
    sharp: Uint8Array,
    milliseconds: number,
  ): Promise<StepSums & { done: number }>;
  gradient(step: number, gamma: number, sharp: boolean): Promise<StepSums & { gradient: Float64Array }>;
  bake(radiance: Float32Array, defocus: Float32Array): Promise<void>;
  compute(factor: number, gamma: number, sharp: boolean, lanes: number): Promise<StepSums>;
  combine(into: number, from: number, lane: number, lanes: number): Promise<void>;
  /** The bytes that the value needs; they are written where `out` has so many. */
  take(slot: number, lane: number, lanes: number, out: Uint8Array): Promise<number>;
  add(slot: number, bytes: Uint8Array): Promise<void>;
  apply(roots: readonly Root[]): Promise<StepSums>;
  join(carrier: string, id: Uint8Array, rank: number, ranks: number, milliseconds: number): Promise<void>;
  /** Operations as MOVES, slot, other; `member` is −1 where none failed. */
  exchange(moves: Int32Array, milliseconds: number): Promise<PeerLost>;
  leave(milliseconds: number): Promise<void>;
  abort(): void;
  ticks(): number[];
  timePhases(on: boolean): void;
  /** At any time: ends the call in progress, rejected, and frees the memory; no call may follow. */
  close(): void;
}

/** Samples a channel of a display curve, at the floats with bits CURVE_FROM + j·2^CURVE_SHIFT (engine/native/shared/plan.h). */
export const CURVE_SIZE = 32 * 64 + 1;
export const CURVE_FROM = (127 - 24) << 23;
export const CURVE_SHIFT = 17;

/** A baked scene on the native side. */
export interface AddonRenderer {
  /** Fills `target` [H][W][3]; blocks until it is done. `scale` = κ · aperture, 0 for no lens. */
  render(focus: number, scale: number, gain: number, curve: Float32Array | null, target: Float32Array): void;
}

/** A library of device kernels in build/native, and a device: an index, a UUID, or empty for the first. */
export interface DevicePlace {
  readonly library: string;
  readonly device: string;
}

/** What a device library finds. */
export interface DeviceReport {
  readonly kind: 'cuda' | 'emulated';
  /** Graphics processors that it has code for. */
  readonly architectures: string;
  /** CUDA versions as 1000 · major + 10 · minor; the driver's is 0 where there is none. */
  readonly driver: number;
  readonly runtime: number;
  /** Why there are no devices. */
  readonly reason?: string;
  readonly devices: readonly DeviceDescription[];
}

export interface DeviceDescription {
  readonly name: string;
  readonly uuid: string;
  /** Compute capability. */
  readonly major: number;
  readonly minor: number;
  readonly processors: number;
  /** Bytes, in all and free. */
  readonly memory: number;
  readonly free: number;
}

export interface Addon {
  readonly DeviceRenderer: new (
    width: number,
    height: number,
    radiance: Float32Array,
    defocus: Float32Array,
    place: DevicePlace,
  ) => AddonRenderer;
  devices(library: string): DeviceReport;
  /** The library of NCCL at `path`; throws with the reason where it cannot be used. */
  carrier(library: string, path: string): { version: number; path: string };
  newExchangeId(library: string, path: string): Promise<Uint8Array>;
  /** Multiply-adds (FLOP/s) and copied bytes a second. */
  devicePeak(place: DevicePlace, seconds: number): Promise<{ flops: number; bytes: number }>;
  readonly Renderer: new (
    width: number,
    height: number,
    radiance: Float32Array,
    defocus: Float32Array,
    isa: string,
    threads: number,
  ) => AddonRenderer;
  readonly StartKernels: new (threads: number, isa?: string) => AddonStartKernels;
  readonly Trainer: new (problem: Problem, isa: string | DevicePlace, threads?: number) => AddonTrainer;
  isas(): string[];
  peak(isa: string, threads: number, seconds: number): Promise<number>;
}

/** Numbers of the operations of an exchange (engine/native/trainer/trainer.h). */
export const MOVES = { combine: 0, send: 1, receive: 2, root: 3, receiveRoot: 4, sendRoot: 5 } as const;

/** Names of the phases of `AddonTrainer.ticks`, in order. */
export const PHASES = [
  'blur',
  'hash',
  'network',
  'composite',
  'networkBackward',
  'hashBackward',
  'blurBackward',
  'update',
] as const;

// From the sources (tests) and from dist/ (the program); IMPLICAM_NATIVE names the folder of another build.
const FOLDERS = process.env.IMPLICAM_NATIVE
  ? [`${pathToFileURL(resolve(process.env.IMPLICAM_NATIVE))}/`]
  : ['../../build/native/', '../../../build/native/'];

let loaded: Addon | null | undefined;

/** The compiled core, or null where it was not built. */
export function loadAddon(): Addon | null {
  if (loaded !== undefined) return loaded;
  const require = createRequire(import.meta.url);
  for (const folder of FOLDERS) {
    try {
      loaded = require(fileURLToPath(new URL(`${folder}implicam.node`, import.meta.url))) as Addon;
      return loaded;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  loaded = null;
  return null;
}

/** The path of a file that the native build makes, or undefined where it did not. */
export function builtFile(name: string): string | undefined {
  return FOLDERS.map((folder) => fileURLToPath(new URL(folder + name, import.meta.url))).find((path) =>
    existsSync(path),
  );
}
