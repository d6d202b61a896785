import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { areaResize } from '../../develop/start/pixels/resize.js';
import { readFrames } from '../../imaging/capture.js';
import { readFrame, readPicture } from '../../imaging/read.js';
import { ImplicamError } from '../../model/errors.js';
import { createPicture, type Frame, fullScale, type Picture } from '../../model/picture.js';
import type { KnownTruth } from '../scores/evaluate.js';
import { fillHoles, readNpz, readPfm } from './maps.js';
import { simulate } from './simulate.js';

/** A capture of the gallery: photographs that nobody of this project made, or simulated from such. */
export interface GalleryCapture {
  readonly frames: Frame[];
  /** Where it is known. */
  readonly truth?: KnownTruth;
}

export interface GallerySet {
  readonly name: string;
  readonly load: (data: string, size: number) => Promise<GalleryCapture>;
}

const pad = (n: number) => String(n).padStart(2, '0');
const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Photographs of a folder: those whose names match. */
const photographs =
  (folder: string, files: readonly string[]) =>
  async (data: string, size: number): Promise<GalleryCapture> => {
    const paths = files.map((file) => join(data, folder, file));
    const frames = await readFrames(paths);
    const known = await settings(data);
    const full = await Promise.all(frames.map((f) => scaled(f, size)));
    return {
      frames: full.map((f, i) => {
        const camera = known.get(`${folder}/${files[i]}`);
        return f.camera.exposureTime === undefined && camera
          ? { ...f, camera: { ...camera, ...f.camera } }
          : f;
      }),
    };
  };

const named = (names: readonly string[], extension: string) => names.map((n) => `${n}.${extension}`);
const pair = (n: number, letters: string) =>
  named(
    [...letters].map((l) => `${pad(n)}_${l}`),
    'jpg',
  );

export const GALLERY: readonly GallerySet[] = [
  {
    name: 'pcb_connector',
    load: photographs(
      'multifocus/pcb_connector',
      range(7).map((i) => `pcb_00${i + 1}.jpg`),
    ),
  },
  ...range(8).map((i) => ({
    name: `lytro_pairs_${pad(i + 1)}`,
    load: photographs('multifocus/lytro_pairs', pair(i + 1, 'AB')),
  })),
  ...range(2).map((i) => ({
    name: `lytro_triples_${pad(i + 1)}`,
    load: photographs('multifocus/lytro_triples', pair(i + 1, 'ABC')),
  })),
  {
    name: 'shinestacker_fly',
    load: photographs(
      'multifocus/shinestacker_fly',
      range(6).map((i) => `000${i}.jpg`),
    ),
  },
  {
    name: 'mobiledepth_keyboard',
    load: photographs('multifocus/mobiledepth_keyboard', [
      ...range(11).map((i) => `${pad(3 * i)}.jpg`),
      '31.jpg',
    ]),
  },
  {
    name: 'dslr_panels_f2',
    load: photographs(
      'multifocus/dslr_panels_f2',
      range(10).map((i) => `wall_panels_${pad(i + 1)}.jpg`),
    ),
  },
  { name: 'blender_wood', load: blenderWood },
  { name: 'memorial', load: memorial },
  {
    name: 'dslr_mug',
    load: photographs(
      'bracket/dslr_mug',
      named(['1_2', '1_4', '1_8', '1_20', '1_40', '1_80', '1_160', '1_320'], 'jpg'),
    ),
  },
  {
    name: 'dslr_bonsai',
    load: photographs('bracket/dslr_bonsai', named(['1_2', '1_4', '1_10', '1_25', '1_320'], 'jpg')),
  },
  {
    name: 'stlouis_arch',
    load: photographs(
      'bracket/stlouis_arch',
      named(
        ['-4.72', '-1.82', '+1.51', '+4.09'].map((ev) => `StLouisArchMultExpEV${ev}`),
        'jpeg',
      ),
    ),
  },
  {
    name: 'stack_room',
    load: photographs(
      'bracket/stack_room',
      range(7).map((i) => `stack_room_exp_${i}.jpg`),
    ),
  },
  {
    name: 'stack_ghost_dynamic',
    load: photographs('bracket/stack_ghost_dynamic', named(['IMG_0959', 'IMG_0960', 'IMG_0961'], 'JPG')),
  },
  ...[
    ['Bottles_Small', 'Bottles_Small.hdr'],
    ['openexr_Carrots', 'Carrots.exr'],
    ['openexr_GoldenGate', 'GoldenGate.exr'],
    ['openexr_MtTamWest', 'MtTamWest.exr'],
  ].map(([folder, file]) => ({
    name: `bracket_of_${folder}`,
    load: simulatedBracket(`hdr-gt/${folder}/${file}`),
  })),
  { name: 'stack_of_middlebury03_cones', load: simulatedStack(cones) },
  { name: 'stack_of_middlebury14_motorcycle', load: simulatedStack(motorcycle) },
  { name: 'stack_of_redwood_chair', load: simulatedStack(chair) },
  { name: 'focus_bracket_of_beachball', load: simulatedStack(beachball, [-3, 0, 3]) },
];

/** Ray-traced focus stack with all-in-focus and disparity truth. */
async function blenderWood(data: string, size: number): Promise<GalleryCapture> {
  const folder = 'multifocus/blender_wood';
  const { frames } = await photographs(
    folder,
    named(
      range(3).map((i) => `focus_${i}`),
      'png',
    ),
  )(data, size);
  const { width, height } = frames[0];
  const sized = (picture: Picture) => shrink(picture, width, height);
  const radiance = sized(await readPicture(join(data, folder, 'gt_all_in_focus.png')));
  const disparity = sized(await readPfm(join(data, folder, 'gt_disp.pfm')));
  const brackets = frames.map((f) => ({ pixels: [f.data as Uint8Array], evs: [0] }));
  // A path tracer's black is no light at all, which has no logarithm.
  const light = { ...radiance, data: radiance.data.map((v) => Math.max(v, 1e-5)) };
  return { frames, truth: { radiance: light, inverseDepth: disparity, stack: { width, height, brackets } } };
}

/** The film scans have a blue border where they hold nothing: it is cut off. */
async function memorial(data: string, size: number): Promise<GalleryCapture> {
  const files = range(16).map((i) => `memorial00${61 + i}.png`);
  const { frames } = await photographs('bracket/memorial', files)(data, Number.POSITIVE_INFINITY);
  const cut = validPart(frames);
  return { frames: await Promise.all(frames.map((f) => scaled(cropped(f, cut), size))) };
}

/** Share of a row or column at the edge that may be invalid. */
const INVALID_SHARE = 0.005;

function validPart(frames: readonly Frame[]) {
  const { width, height } = frames[0];
  const blue = new Uint8Array(width * height);
  for (const { data } of frames) {
    for (let p = 0; p < blue.length; p++) {
      if (data[3 * p] < 10 && data[3 * p + 1] < 10 && data[3 * p + 2] > 245) blue[p] = 1;
    }
  }
  let [left, top, right, bottom] = [0, 0, width, height];
  const share = (x0: number, y0: number, x1: number, y1: number) => {
    let n = 0;
    for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) n += blue[y * width + x];
    return n / ((x1 - x0) * (y1 - y0));
  };
  // The worst side first: a border along the bottom is part of every column.
  for (;;) {
    const sides = [
      share(left, top, left + 1, bottom),
      share(right - 1, top, right, bottom),
      share(left, top, right, top + 1),
      share(left, bottom - 1, right, bottom),
    ];
    const worst = Math.max(...sides);
    if (worst <= INVALID_SHARE) break;
    const side = sides.indexOf(worst);
    if (side === 0) left++;
    else if (side === 1) right--;
    else if (side === 2) top++;
    else bottom--;
  }
  return { left, top, width: right - left, height: bottom - top };
}

const BRACKET_EVS = [-5, -2.5, 0, 2.5, 5];

function simulatedBracket(path: string) {
  return async (data: string, size: number): Promise<GalleryCapture> => {
    const radiance = shrinkTo(await readPicture(join(data, path)), size);
    const flat = createPicture(radiance.width, radiance.height, 1);
    flat.data.fill(1);
    return simulate(radiance, flat, { evs: BRACKET_EVS, focus: 1, radius: 0, seed: 1 });
  };
}

interface WithDepth {
  readonly radiance: Picture;
  /** Any affine unit of inverse depth. */
  readonly inverseDepth: Picture;
}

const STACK_RADIUS = 6;

function simulatedStack(read: (data: string) => Promise<WithDepth>, evs: readonly number[] = [0]) {
  return async (data: string, size: number): Promise<GalleryCapture> => {
    const { radiance, inverseDepth } = await read(data);
    const small = shrinkTo(radiance, size);
    const depth = shrink(inverseDepth, small.width, small.height);
    return simulate(small, depth, { evs, focus: 3, radius: STACK_RADIUS, seed: 2 });
  };
}

async function cones(data: string): Promise<WithDepth> {
  const folder = join(data, 'rgbd/middlebury03_cones');
  const radiance = await readPicture(join(folder, 'rgb.png'));
  return { radiance, inverseDepth: fillHoles(await greyMap(join(folder, 'gt_disparity_x4.png'))) };
}

async function motorcycle(data: string): Promise<WithDepth> {
  const folder = join(data, 'rgbd/middlebury14_motorcycle');
  const radiance = await readPicture(join(folder, 'rgb.png'));
  return { radiance, inverseDepth: fillHoles(await readNpz(join(folder, 'gt_disparity.npz'))) };
}

async function chair(data: string): Promise<WithDepth> {
  const folder = join(data, 'rgbd/redwood_chair');
  const radiance = await readPicture(join(folder, 'color_0.jpg'));
  return { radiance, inverseDepth: inverse(fillHoles(await greyMap(join(folder, 'gt_depth_mm_0.png')))) };
}

async function beachball(data: string): Promise<WithDepth> {
  const path = join(data, 'rgbd/beachball_hdr_z/beachball_0001.exr');
  const radiance = await readPicture(path);
  return { radiance, inverseDepth: inverse(fillHoles(await readPicture(path, { channels: ['Z'] }))) };
}

const inverse = (depth: Picture): Picture => ({ ...depth, data: depth.data.map((z) => 1 / z) });

/** Sample values of a grey photograph as numbers. */
async function greyMap(path: string): Promise<Picture> {
  const { width, height, data } = await readFrame(path);
  const picture = createPicture(width, height, 1);
  for (let i = 0; i < picture.data.length; i++) picture.data[i] = data[3 * i];
  return picture;
}

interface Settings {
  readonly exposureTime: number;
  readonly fNumber?: number;
  readonly iso?: number;
}

/** Camera settings that the data's manifest knows, by file: not every file says them itself. */
async function settings(data: string): Promise<Map<string, Settings>> {
  const path = join(data, 'MANIFEST.json');
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ImplicamError(
      'file-not-found',
      `${path} could not be read: name the folder of the test photographs`,
      {
        exitCode: 2,
        cause,
      },
    );
  });
  const rows = (JSON.parse(text) as { files: Record<string, unknown>[] }).files;
  const number = (value: unknown) => (typeof value === 'number' ? value : undefined);
  return new Map(
    rows.flatMap((row): [string, Settings][] => {
      const exposureTime = number(row.exposure_time_s);
      if (exposureTime === undefined) return [];
      const [fNumber, iso] = [number(row.f_number), number(row.iso)];
      return [[String(row.file), { exposureTime, ...(fNumber ? { fNumber } : {}), ...(iso ? { iso } : {}) }]];
    }),
  );
}

/** A photograph whose long side is at most `size` pixels. */
async function scaled(frame: Frame, size: number): Promise<Frame> {
  const { width, height, data } = frame;
  if (Math.max(width, height) <= size) return frame;
  if (fullScale(frame) !== 255) throw new ImplicamError('format-unsupported', `${frame.name} has 16 bits`);
  const { data: small, info } = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize(size, size, { fit: 'inside' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { ...frame, width: info.width, height: info.height, data: new Uint8Array(small) };
}

function cropped(frame: Frame, part: { left: number; top: number; width: number; height: number }): Frame {
  const data = new Uint8Array(3 * part.width * part.height);
  for (let y = 0; y < part.height; y++) {
    const from = 3 * ((part.top + y) * frame.width + part.left);
    data.set(frame.data.subarray(from, from + 3 * part.width), 3 * y * part.width);
  }
  return { ...frame, width: part.width, height: part.height, data };
}

function shrinkTo(picture: Picture, size: number): Picture {
  const scale = Math.min(1, size / Math.max(picture.width, picture.height));
  return shrink(picture, Math.round(picture.width * scale), Math.round(picture.height * scale));
}

/** Area average; the same picture where the size is the same. */
function shrink(picture: Picture, width: number, height: number): Picture {
  if (picture.width === width && picture.height === height) return picture;
  const out = createPicture(width, height, picture.channels);
  for (let c = 0; c < picture.channels; c++) {
    const plane = areaResize(picture.data, picture.width, picture.height, width, height, {
      stride: picture.channels,
      offset: c,
    });
    for (let i = 0; i < plane.length; i++) out.data[picture.channels * i + c] = plane[i];
  }
  return out;
}
