import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { DeviceLink } from '../engine.js';
import { loadAddon } from './addon.js';

/** Where NCCL is looked for by name, as the dynamic linker does. */
const USUAL = 'libnccl.so.2';

/** A library of NCCL that was found, or why there is none. */
export type Carrier = { readonly version: number; readonly path: string } | { readonly missing: string };

/**
 * Looks for NCCL; never throws. IMPLICAM_NCCL names another file of it, or says `none`.
 *
 * @param library of device kernels; the emulation takes only what is named, because its memory is the processor's
 */
export function findCarrier(
  library: string,
  emulated = false,
  named = process.env.IMPLICAM_NCCL ?? '',
): Carrier {
  const addon = loadAddon();
  if (!addon) return { missing: 'the native core is not built' };
  if (named === 'none') return { missing: 'IMPLICAM_NCCL says so' };
  if (emulated && named === '') return { missing: 'IMPLICAM_NCCL names none' };
  const wanted = named || USUAL;
  try {
    return addon.carrier(library, wanted);
  } catch (error) {
    const why = (error as Error).message;
    return { missing: why.includes(wanted) ? why : `${wanted}: ${why}` };
  }
}

/** The way from a device of this machine to its others. */
export function deviceLink(
  library: string,
  device: string,
  carrier: Carrier,
): DeviceLink | { readonly missing: string } {
  if ('missing' in carrier) return carrier;
  return {
    node: nodeName(),
    device,
    ...carrier,
    newId: () => loadAddon()!.newExchangeId(library, carrier.path),
  };
}

/** "2.27.3" */
export function carrierVersion(version: number): string {
  return `${Math.floor(version / 10_000)}.${Math.floor(version / 100) % 100}.${version % 100}`;
}

/** This machine, until it is started anew; a container is a machine of its own, because it may not share memory with others. */
function nodeName(): string {
  let boot = '';
  try {
    boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // No Linux: the name has to do.
  }
  return `${hostname()}/${boot}`;
}
