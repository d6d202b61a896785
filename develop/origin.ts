import type { CameraSettings, Frame, Origin, PictureOrigin } from '../model/picture.js';
import type { ModelOrigin, TrainedModel } from './options.js';
import { programVersion } from './versions.js';

/** What results say of the photographs that they come from. A picture merged of many is no one exposure. */

export interface OriginOptions {
  /** Whether results say where the photographs were taken. @default false */
  readonly gps?: boolean | undefined;
}

/**
 * Camera and lens where the frames that name one name the same; focal length, aperture, exposure time and ISO where all
 * frames have them in common; the time of the earliest; the place of the first that knows one, if it is asked for.
 */
export function originOf(
  frames: readonly Pick<Frame, 'camera' | 'origin'>[],
  { gps = false }: OriginOptions = {},
): ModelOrigin {
  const origins = frames.map(({ origin }) => origin ?? {});
  const named = (name: 'make' | 'model' | 'lensMake' | 'lens') => only(origins.flatMap((o) => o[name] ?? []));
  const common = (name: 'focalLength' | 'fNumber' | 'exposureTime' | 'iso') =>
    only(frames.map(({ camera }) => camera[name]));
  const place = gps ? origins.find((o) => o.place)?.place : undefined;
  const known: ModelOrigin = {
    ...pick('make', named('make')),
    ...pick('model', named('model')),
    ...pick('lensMake', named('lensMake')),
    ...pick('lens', named('lens')),
    ...pick('focalLength', common('focalLength')),
    ...pick('fNumber', common('fNumber')),
    ...pick('exposureTime', common('exposureTime')),
    ...pick('iso', common('iso')),
    ...earliest(frames),
    ...pick('place', place),
  };
  return known;
}

/** What the file of a render says of its making. */
export function describeRender({ info }: Pick<TrainedModel, 'info'>): PictureOrigin {
  return withProgram(info.origin);
}

/** With the program that made the picture. */
export function withProgram(origin: ModelOrigin = {}): PictureOrigin {
  return { ...origin, software: `implicam ${programVersion()}` };
}

/** The one value that all have; undefined where there are two. */
function only<T>(values: readonly T[]): T | undefined {
  return values.every((value) => value === values[0]) ? values[0] : undefined;
}

function earliest(
  frames: readonly { readonly camera: CameraSettings; readonly origin?: Origin }[],
): ModelOrigin {
  const timed = frames.filter(({ camera }) => camera.time !== undefined && camera.time > 0);
  if (timed.length === 0) return {};
  const first = timed.reduce((a, b) => (b.camera.time! < a.camera.time! ? b : a));
  return { time: first.camera.time!, ...pick('zone', first.origin?.zone) };
}

function pick<K extends keyof ModelOrigin>(name: K, value: ModelOrigin[K]): Pick<ModelOrigin, K> {
  return (value === undefined ? {} : { [name]: value }) as Pick<ModelOrigin, K>;
}
