import { develop } from '../../../develop/develop.js';
import type { Development, DevelopOptions } from '../../../develop/options.js';
import { chooseDisplay, showRadiance } from '../../../develop/render/display.js';
import { renderScene } from '../../../develop/render/scene-renderer.js';
import type { Frame, Picture } from '../../../model/picture.js';
import { parseRenderQuery, type RenderQueryInput } from '../../../model/render/query.js';
import { classicalRadiance } from '../../baselines/classical.js';
import type { PhotoStack } from '../../baselines/stack.js';
import { framesOf } from '../../benchmarks/frames.js';
import { type Capture, renderCapture } from '../../samples/capture.js';
import type { SceneName } from '../../samples/scenes/index.js';
import { alignRadiance } from '../../scores/scores.js';

/** A generated scene, photographed: three focus settings × three exposures. */
export interface Photographed {
  readonly capture: Capture;
  readonly frames: readonly Frame[];
  /** Linear light as all figures of the scene show it: one exposure and one curve for all of them. */
  readonly show: (light: Picture) => Picture;
}

/** The same, developed. */
export interface Developed extends Photographed {
  readonly development: Development;
  /** A render, shown as it is. */
  readonly render: (query: RenderQueryInput) => Picture;
  /** Linear light that the model shows, in the truth's unit. */
  readonly light: (query?: RenderQueryInput) => Picture;
}

export function photograph(scene: SceneName): Photographed {
  const capture = renderCapture({ scene });
  const display = chooseDisplay(capture.truth.radiance, { ev: capture.frames.map((f) => f.ev) });
  const learnedIsNotAsked = { tone: () => 0 };
  return {
    capture,
    frames: framesOf(capture),
    show: (light) =>
      showRadiance(
        alignRadiance(light, capture.truth.radiance, 'common').picture,
        display,
        learnedIsNotAsked,
      ),
  };
}

export async function developed(scene: SceneName, options: DevelopOptions = {}): Promise<Developed> {
  const photographed = photograph(scene);
  const development = await develop(photographed.frames, options);
  const render = (query: RenderQueryInput) =>
    renderScene(development.baked, development.model, parseRenderQuery(query));
  return {
    ...photographed,
    development,
    render,
    light: (query) => render({ ...query, tone: 'linear' }),
  };
}

/** What photography software makes of the same photographs, told their exposures. */
export function classicalOf({ options, frames }: Capture): Picture {
  const brackets = Array.from({ length: options.focus }, (_, focus) => {
    const mine = frames.filter((f) => f.focusIndex === focus);
    return { pixels: mine.map((f) => f.pixels), evs: mine.map((f) => f.ev) };
  });
  const stack: PhotoStack = { width: options.width, height: options.height, brackets };
  return classicalRadiance(stack);
}

const memory = new Map<unknown, unknown>();

/** What several figures stand on is made once. */
export function once<T>(make: () => T): T {
  if (!memory.has(make)) memory.set(make, make());
  return memory.get(make) as T;
}
