import { ImplicamError } from '../model/errors.js';
import { type FrameFormat, frameFormatList, type LinearFormat } from './limits.js';
import { numberAt, openTiff, readDirectory } from './metadata/tiff-directory.js';

/** A format that is known and refused, with the way out. */
interface Refused {
  readonly label: string;
  readonly remedy: string;
}

const exportAsJpeg = 'export it as JPEG, PNG or 16-bit TIFF';

const refused = {
  heic: { label: 'HEIC', remedy: 'export it as JPEG (iPhone: Settings, Camera, Formats, Most Compatible)' },
  raw: { label: 'camera RAW', remedy: 'develop it and export it as 16-bit TIFF or JPEG, all frames alike' },
  gif: { label: 'GIF', remedy: 'export each frame as PNG or JPEG' },
  video: { label: 'video', remedy: 'extract its frames as PNG or JPEG' },
  svg: { label: 'SVG or other XML', remedy: 'give photographs' },
  pdf: { label: 'PDF', remedy: 'export its pictures as JPEG or PNG' },
  psd: { label: 'Photoshop', remedy: 'export it as 16-bit TIFF or PNG' },
  jxl: { label: 'JPEG XL', remedy: exportAsJpeg },
  jp2: { label: 'JPEG 2000', remedy: exportAsJpeg },
  bmp: { label: 'BMP', remedy: exportAsJpeg },
} as const satisfies Record<string, Refused>;

type Verdict = FrameFormat | LinearFormat | Refused | undefined;

/**
 * The format of a file, told by its content; the extension of its name only tells camera RAW from plain TIFF.
 *
 * @throws ImplicamError `format-unsupported` (415), naming the file, what it is and what to do instead.
 */
export function identifyFormat(name: string, bytes: Uint8Array): FrameFormat | LinearFormat {
  const verdict = sniff(name, bytes);
  if (typeof verdict === 'string') return verdict;
  const { label, remedy } = verdict ?? {
    label: 'in no known picture format',
    remedy: `give ${frameFormatList} photographs`,
  };
  throw new ImplicamError(
    'format-unsupported',
    `${name} is ${verdict ? `a ${label} file, which is not read` : label}: ${remedy}`,
    { status: 415 },
  );
}

function sniff(name: string, bytes: Uint8Array): Verdict {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 64)).toString('latin1');
  if (head.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (head.startsWith('v/1\x01')) return 'exr';
  if (/^#\?(RADIANCE|RGBE)\r?\n/.test(head)) return 'hdr';
  if (head.startsWith('RIFF')) return head.startsWith('WEBP', 8) ? 'webp' : refused.video;
  if (head.startsWith('ftyp', 4)) return sniffIsoMedia(head, bytes);
  if (/^(II[*+]\0|MM\0[*+])/.test(head)) return isRaw(name, bytes) ? refused.raw : 'tiff';
  if (/^(IIRO|IIRS|MMOR|IIU\0|FUJIFILMCCD-RAW|FOVb|\0MRM)/.test(head)) return refused.raw;
  if (head.startsWith('GIF8')) return refused.gif;
  if (head.startsWith('%PDF')) return refused.pdf;
  if (head.startsWith('8BPS')) return refused.psd;
  if (head.startsWith('BM')) return refused.bmp;
  if (head.startsWith('\xff\x0a') || head.startsWith('\0\0\0\x0cJXL ')) return refused.jxl;
  if (head.startsWith('\0\0\0\x0cjP  ')) return refused.jp2;
  if (head.startsWith('\x1aE\xdf\xa3')) return refused.video;
  if (/^(\xef\xbb\xbf)?\s*<(\?xml|!DOCTYPE|!--|svg)/i.test(head)) return refused.svg;
  return undefined;
}

/** ISO base media (ISO 14496-12): the brands in the `ftyp` box tell AVIF, HEIC, CR3 and video apart. */
function sniffIsoMedia(head: string, bytes: Uint8Array): Verdict {
  const boxBytes = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  const major = head.slice(8, 12);
  const compatible = head.slice(16, Math.min(boxBytes, head.length)).match(/.{4}/gs) ?? [];
  const brands = [major, ...compatible];
  if (brands.includes('avif') || brands.includes('avis')) return 'avif';
  if (major === 'crx ') return refused.raw;
  if (brands.some((brand) => /^(hei[cxms]|hev[cxms]|mif1|msf1)$/.test(brand))) return refused.heic;
  return refused.video;
}

/** Extensions of RAW files that are TIFF structures and begin with a thumbnail. */
const rawExtension = /\.(dng|nef|nrw|cr2|arw|sr2|srf|pef|ptx|srw|3fr|fff|iiq|kdc|dcr|mef|mos|rwl|erf)$/i;
const DNG_VERSION = 0xc612;
const PHOTOMETRIC = 262;
const CFA_PHOTOMETRIC = 32803;
const SUB_DIRECTORIES = 330;
const NEW_SUBFILE_TYPE = 254;

/** Whether a TIFF structure holds sensor data: libtiff would then give the thumbnail that comes first in it. */
function isRaw(name: string, bytes: Uint8Array): boolean {
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
