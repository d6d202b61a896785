import { createHash } from 'node:crypto';
import { readdir, realpath } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, extname, join } from 'node:path';
import { ImplicamError } from '../model/errors.js';
import type { Frame } from '../model/picture.js';
import { decodeFrame, inspectFrame } from './decode.js';
import type { FrameSize } from './decoder.js';
import { frameFormatList, frameFormats } from './frame-formats.js';
import { picturesLeftOut } from './left-out.js';
import { type ImagingLimits, LEAST_SIDE, limitsWith } from './limits.js';
import type { ReadOptions } from './read.js';
import { isFolder, loadSource, type NamedBytes, unreadable } from './source.js';

export interface ReadFramesOptions extends ReadOptions {
  /** Files decoded at a time; by default the cores, at most 4. */
  readonly concurrency?: number;
  /** Called after each decoded photograph. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Told what was left out, too. */
  readonly onNote?: (note: string) => void;
}

/**
 * Reads the photographs of one capture. A folder stands for the photographs in it (not in folders below it), in the
 * natural order of their names: frame2 before frame10. All are judged by their headers before the first is decoded.
 *
 * @returns frames in the order asked for, all of one size; their names are told apart by folder where they must be.
 * @throws ImplicamError as `readFrame` for the first file that is refused, and `frames-none`, `frames-too-many`,
 * `frames-duplicate` (the same file twice, or two files with the same content), `frames-mismatched` (sizes differ),
 * `capture-too-large` (together more than `maxCaptureBytes` when decoded).
 */
export async function readFrames(
  paths: readonly string[],
  options: ReadFramesOptions = {},
): Promise<Frame[]> {
  const limits = limitsWith({ minSide: LEAST_SIDE, ...options.limits });
  const files = await listPhotographs(paths, limits, options.onNote);
  const concurrency = Math.max(1, options.concurrency ?? Math.min(4, availableParallelism()));
  const headers = await mapInOrder(files, concurrency, (file) => readHeader(file, limits));
  requireDistinct(files, headers);
  const size = requireOneSize(files, headers);
  requireTotal(headers, limits);
  const names = distinctNames(files);
  let done = 0;
  const noted = new Map<string, number[]>();
  const frames = await mapInOrder(files, concurrency, async (file, index) => {
    const frame = await decodeFrame(await load(file, limits), limits, (note) => {
      noted.set(note, [...(noted.get(note) ?? []), index]);
    });
    if (frame.width !== size.width || frame.height !== size.height) {
      throw new ImplicamError('file-corrupt', `${file} changed while it was read: try again`, {
        status: 422,
      });
    }
    options.onProgress?.(++done, files.length);
    return { ...frame, name: names[index] };
  });
  for (const [note, indices] of noted) options.onNote?.(`${naming(names, indices)}: ${note}`);
  return frames;
}

/** The frames that a note is about: their names while they are few. */
function naming(names: readonly string[], indices: readonly number[]): string {
  const told = [...indices].sort((a, b) => a - b).map((index) => names[index]);
  return told.length > 3 ? `${told.length} frames, ${told[0]} the first of them` : told.join(', ');
}

/** Names with digits are compared by the numbers in them, as a person would order them. */
const naturalOrder = new Intl.Collator('en', { numeric: true });

/** Orders file names: by the numbers in them, then by code unit, so that the order is total. */
export function compareNames(a: string, b: string): number {
  return naturalOrder.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

const photographExtensions = new Set<string>(
  Object.values(frameFormats).flatMap(({ extensions }) => extensions),
);

/**
 * The files that the paths name, folders replaced by the photographs in them.
 *
 * @throws ImplicamError `frames-none`, `frames-too-many`, `frames-duplicate`, `file-not-found`, `file-unreadable`.
 */
async function listPhotographs(
  paths: readonly string[],
  limits: Pick<ImagingLimits, 'maxFiles'>,
  onNote?: (note: string) => void,
): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    if (await isFolder(path)) files.push(...(await listFolder(path, onNote)));
    else files.push(path);
    if (files.length > limits.maxFiles) {
      throw new ImplicamError(
        'frames-too-many',
        `more than ${limits.maxFiles} photographs: at most ${limits.maxFiles} are taken; choose among them`,
        { status: 413 },
      );
    }
  }
  if (files.length === 0) {
    throw new ImplicamError('frames-none', 'no photographs were given: name files or a folder of them', {
      status: 422,
    });
  }
  await requireDistinctFiles(files);
  return files;
}

const isPhotograph = (name: string): boolean => photographExtensions.has(extname(name).toLowerCase());

async function listFolder(folder: string, onNote?: (note: string) => void): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw unreadable(folder, cause);
  });
  const names: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith('.') || entry.isDirectory()) continue;
    if (entry.isSymbolicLink() && (await leadsToFolder(join(folder, entry.name)))) continue;
    names.push(entry.name);
  }
  names.sort(compareNames);
  const photographs = names.filter(isPhotograph);
  const others = await picturesLeftOut(
    folder,
    names.filter((name) => !isPhotograph(name)),
  );
  if (photographs.length === 0) {
    const why = others
      ? `holds no photographs that are read, but ${others}`
      : `holds no photographs: name a folder with ${frameFormatList} files`;
    throw new ImplicamError('frames-none', `${folder} ${why}`, { status: 422 });
  }
  if (others) onNote?.(`left out of ${folder}: ${others}`);
  return photographs.map((name) => join(folder, name));
}

/** Links that lead nowhere are told of when they are read. */
const leadsToFolder = (link: string): Promise<boolean> => isFolder(link).catch(() => false);

async function requireDistinctFiles(files: readonly string[]): Promise<void> {
  const seen = new Map<string, string>();
  for (const file of files) {
    const real = await realpath(file).catch((cause: unknown) => {
      throw unreadable(file, cause);
    });
    const earlier = seen.get(real);
    if (earlier !== undefined) {
      const both = earlier === file ? `${file} was given twice` : `${earlier} and ${file} are the same file`;
      throw new ImplicamError('frames-duplicate', `${both}: name each photograph once`, { status: 422 });
    }
    seen.set(real, file);
  }
}

/** A file that messages name by its path: of several folders names alone do not tell. */
async function load(path: string, limits: ImagingLimits): Promise<NamedBytes> {
  return { ...(await loadSource(path, limits)), name: path };
}

interface JudgedHeader extends FrameSize {
  readonly digest: string;
  /** Bytes of the decoded frame. */
  readonly decodedBytes: number;
}

async function readHeader(path: string, limits: ImagingLimits): Promise<JudgedHeader> {
  const file = await load(path, limits);
  const { width, height, samples } = await inspectFrame(file, limits);
  const digest = createHash('sha256').update(file.bytes).digest('base64');
  return { width, height, digest, decodedBytes: width * height * 3 * (samples === 'uint8' ? 1 : 2) };
}

function requireDistinct(files: readonly string[], headers: readonly JudgedHeader[]): void {
  const seen = new Map<string, string>();
  headers.forEach(({ digest }, i) => {
    const earlier = seen.get(digest);
    if (earlier !== undefined) {
      throw new ImplicamError(
        'frames-duplicate',
        `${files[i]} is a copy of ${earlier}: leave one of them out`,
        {
          status: 422,
        },
      );
    }
    seen.set(digest, files[i]);
  });
}

/** The size that all frames have. The one that most have counts as right, so that the odd one out is named. */
function requireOneSize(files: readonly string[], headers: readonly FrameSize[]): FrameSize {
  const text = ({ width, height }: FrameSize): string => `${width} × ${height}`;
  const votes = new Map<string, number>();
  for (const header of headers) votes.set(text(header), (votes.get(text(header)) ?? 0) + 1);
  const most = Math.max(...votes.values());
  const common = headers.findIndex((header) => votes.get(text(header)) === most);
  const odd = headers.findIndex((header) => text(header) !== text(headers[common]));
  if (odd >= 0) {
    const others = most > 1 ? ` and ${most - 1} more` : '';
    throw new ImplicamError(
      'frames-mismatched',
      `${files[odd]} is ${text(headers[odd])} pixels but ${files[common]}${others} ${most > 1 ? 'are' : 'is'} ` +
        `${text(headers[common])}: give frames of one capture, all of one size and orientation`,
      { status: 422 },
    );
  }
  return headers[common];
}

function requireTotal(headers: readonly JudgedHeader[], limits: ImagingLimits): void {
  const total = headers.reduce((sum, { decodedBytes }) => sum + decodedBytes, 0);
  if (total <= limits.maxCaptureBytes) return;
  const gigabytes = (bytes: number): string => (bytes / 2 ** 30).toPrecision(3);
  throw new ImplicamError(
    'capture-too-large',
    `the ${headers.length} photographs take ${gigabytes(total)} GB when decoded: at most ` +
      `${gigabytes(limits.maxCaptureBytes)} GB are taken; give fewer or smaller ones`,
    { status: 413 },
  );
}

/** File names without folders, or the paths as given where two files would share a name. */
function distinctNames(files: readonly string[]): string[] {
  const uses = new Map<string, number>();
  for (const file of files) uses.set(basename(file), (uses.get(basename(file)) ?? 0) + 1);
  return files.map((file) => (uses.get(basename(file)) === 1 ? basename(file) : file));
}

/**
 * `work` on every item, at most `concurrency` at a time. When some fail, the error is that of the first of them in
 * order, not in time: items start in order, so every one before it has had its chance.
 */
async function mapInOrder<T, R>(
  items: readonly T[],
  concurrency: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  const failures: { index: number; cause: unknown }[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      const index = next++;
      try {
        results[index] = await work(items[index]!, index);
      } catch (cause) {
        failures.push({ index, cause });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  const first = failures.sort((a, b) => a.index - b.index)[0];
  if (first) throw first.cause;
  return results;
}
