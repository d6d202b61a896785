import { isRaw, isTiff } from './raw.js';

/** How a photograph's format is told: by the first 64 bytes as Latin-1, the whole file, and its name. */
type Test = (head: string, bytes: Uint8Array, name: string) => boolean;

interface FormatInfo {
  readonly label: string;
  /** Of its files, in lower case. */
  readonly extensions: readonly string[];
  readonly is: Test;
}

/** Formats a photograph may come in. */
export const frameFormats = {
  jpeg: {
    label: 'JPEG',
    extensions: ['.jpg', '.jpeg', '.jpe', '.jfif'],
    is: (head) => head.startsWith('\xff\xd8\xff'),
  },
  png: { label: 'PNG', extensions: ['.png'], is: (head) => head.startsWith('\x89PNG\r\n\x1a\n') },
  webp: {
    label: 'WebP',
    extensions: ['.webp'],
    is: (head) => head.startsWith('RIFF') && head.startsWith('WEBP', 8),
  },
  tiff: {
    label: 'TIFF',
    extensions: ['.tif', '.tiff'],
    is: (head, bytes, name) => isTiff(head) && !isRaw(name, bytes),
  },
  avif: {
    label: 'AVIF',
    extensions: ['.avif'],
    is: (head, bytes) => isoBrands(head, bytes).some((brand) => brand === 'avif' || brand === 'avis'),
  },
} as const satisfies Record<string, FormatInfo>;
export type FrameFormat = keyof typeof frameFormats;

/** The format that a file's content shows; undefined where it is none of them. */
export function frameFormatOf(head: string, bytes: Uint8Array, name: string): FrameFormat | undefined {
  const formats = Object.entries<FormatInfo>(frameFormats);
  return formats.find(([, { is }]) => is(head, bytes, name))?.[0] as FrameFormat | undefined;
}

/** "JPEG, PNG, WebP, TIFF or AVIF". */
export const frameFormatList = Object.values(frameFormats)
  .map(({ label }) => label)
  .join(', ')
  .replace(/, ([^,]*)$/, ' or $1');

/** Brands of an ISO base media file (ISO 14496-12), the major one first; none of another file. */
export function isoBrands(head: string, bytes: Uint8Array): string[] {
  if (!head.startsWith('ftyp', 4)) return [];
  const boxBytes = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  const compatible = head.slice(16, Math.min(boxBytes, head.length)).match(/.{4}/gs) ?? [];
  return [head.slice(8, 12), ...compatible];
}
