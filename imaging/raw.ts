import { numberAt, openTiff, readDirectory } from './metadata/tiff-directory.js';

/** Whether a file begins as a TIFF structure does; `head` is its beginning as Latin-1. */
export function isTiff(head: string): boolean {
  return /^(II[*+]\0|MM\0[*+])/.test(head);
}

/** Extensions of RAW files that are TIFF structures and begin with a thumbnail. */
const rawExtension = /\.(dng|nef|nrw|cr2|arw|sr2|srf|pef|ptx|srw|3fr|fff|iiq|kdc|dcr|mef|mos|rwl|erf)$/i;
const DNG_VERSION = 0xc612;
const PHOTOMETRIC = 262;
const CFA_PHOTOMETRIC = 32803;
const SUB_DIRECTORIES = 330;
const NEW_SUBFILE_TYPE = 254;

/** Whether a TIFF structure holds sensor data: libtiff would then give the thumbnail that comes first in it. */
export function isRaw(name: string, bytes: Uint8Array): boolean {
  if (rawExtension.test(name)) return true;
  if (bytes[8] === 0x43 && bytes[9] === 0x52) return true; // Canon CR2: "CR" behind the TIFF header
  const tiff = openTiff(bytes);
  if (!tiff) return false;
  const directory = readDirectory(tiff, tiff.first);
  if (directory.has(DNG_VERSION)) return true;
  if (numberAt(tiff, directory.get(PHOTOMETRIC)) === CFA_PHOTOMETRIC) return true;
  const thumbnailFirst = ((numberAt(tiff, directory.get(NEW_SUBFILE_TYPE)) ?? 0) & 1) === 1;
  return thumbnailFirst && directory.has(SUB_DIRECTORIES);
}
