import { ImplicamError } from '../model/errors.js';
import {
  type FrameFormat,
  frameFormatList,
  frameFormatOf,
  frameFormats,
  isoBrands,
} from './frame-formats.js';
import { isTiff } from './raw.js';

/** Formats of linear pictures (radiance, depth), which are no photographs. */
export type LinearFormat = 'exr' | 'hdr';

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

/** Pictures of linear light, where photographs are asked for. */
export const linearFormats = {
  exr: { label: 'OpenEXR', remedy: 'export it as 16-bit TIFF or PNG' },
  hdr: { label: 'Radiance', remedy: 'export it as 16-bit TIFF or PNG' },
} as const satisfies Record<LinearFormat, Refused>;

/** The refusal of a picture of linear light where a photograph is asked for. */
export function notAPhotograph(name: string, format: LinearFormat): ImplicamError {
  const { label, remedy } = linearFormats[format];
  return new ImplicamError(
    'format-unsupported',
    `${name} is a linear ${label} picture, not a photograph: ${remedy}`,
    { status: 415 },
  );
}

/**
 * What a file is that is not named as a photograph is, and what to do to have it read.
 *
 * @param bytes its beginning
 * @returns undefined where its content is no known picture format
 */
export function describeOther(name: string, bytes: Uint8Array): Refused | undefined {
  const verdict = sniff(name, bytes);
  if (verdict === 'exr' || verdict === 'hdr') return linearFormats[verdict];
  if (typeof verdict !== 'string') return verdict;
  const { label, extensions } = frameFormats[verdict];
  return { label, remedy: `give it a name that ends in ${extensions[0]}` };
}

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
  const format = frameFormatOf(head, bytes, name);
  if (format) return format;
  if (head.startsWith('v/1\x01')) return 'exr';
  if (/^#\?(RADIANCE|RGBE)\r?\n/.test(head)) return 'hdr';
  if (head.startsWith('RIFF')) return refused.video;
  if (head.startsWith('ftyp', 4)) return sniffIsoMedia(head, bytes);
  if (isTiff(head)) return refused.raw;
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

/** Brands tell HEIC, CR3 and video apart. */
function sniffIsoMedia(head: string, bytes: Uint8Array): Verdict {
  const brands = isoBrands(head, bytes);
  if (brands[0] === 'crx ') return refused.raw;
  if (brands.some((brand) => /^(hei[cxms]|hev[cxms]|mif1|msf1)$/.test(brand))) return refused.heic;
  return refused.video;
}
