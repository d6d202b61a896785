import type { Picture } from '../../../model/picture.js';
import type { SceneName } from '../../samples/scenes/index.js';
import { framePanel, mapPanel } from '../sheet.js';
import { classicalOf, developed } from './developed.js';
import { captioned, crop, type Figure } from './figure.js';

/** Pictures of docs/GALLERY.md: each generated scene, whole and in a part with depth edges. */

type Part = readonly [x: number, y: number, width: number, height: number];

const PARTS: Readonly<Record<Exclude<SceneName, 'random'>, Part>> = {
  study: [330, 90, 108, 72],
  hall: [270, 110, 120, 80],
  night: [330, 50, 117, 78],
  leaves: [180, 55, 120, 80],
};

const gallery =
  (scene: keyof typeof PARTS): Figure =>
  async () => {
    const { capture, frames, show, light, render } = await developed(scene);
    const cut = (picture: Picture) => crop(picture, ...PARTS[scene]);
    const photo = framePanel(frames[4]);
    const learned = show(light());
    return captioned([
      [
        { panel: photo, caption: 'one of nine photographs' },
        { panel: learned, caption: 'implicam' },
        { panel: mapPanel(render({ kind: 'depth' })), caption: 'its defocus map' },
      ],
      [
        { panel: cut(photo), caption: 'photograph' },
        { panel: cut(show(classicalOf(capture))), caption: 'classical' },
        { panel: cut(learned), caption: 'implicam' },
        { panel: cut(show(capture.truth.radiance)), caption: 'truth' },
      ],
    ]);
  };

export const sceneFigures: Readonly<Record<string, Figure>> = Object.fromEntries(
  (Object.keys(PARTS) as (keyof typeof PARTS)[]).map((scene) => [`gallery/${scene}.jpg`, gallery(scene)]),
);
