import { develop } from '../../develop/develop.js';
import { bakeScene, renderScene } from '../../develop/render/scene-renderer.js';
import { chooseEngine, type EngineChoice } from '../../engine/choose.js';
import { parseRenderQuery } from '../../model/render/query.js';
import { renderCapture } from '../samples/capture.js';
import { framesOf } from './frames.js';
import { median } from './step.js';

export interface RenderReport {
  readonly megapixels: number;
  /** From a loaded model to its first refocused picture: the scene is evaluated at every pixel, then rendered. */
  readonly firstMs: number;
  /** The following pictures, each at another focus: the median. */
  readonly warmMs: number;
}

const WIDTH = 1224;
const HEIGHT = 816;
/** Renders do not depend on how long a model was trained. */
const STEPS = 20;
const ROUNDS = 9;

/** Times refocused renders of a one-megapixel model. */
export async function benchRender(choice: EngineChoice = {}): Promise<RenderReport> {
  const capture = renderCapture({ width: WIDTH, height: HEIGHT, focus: 3, exposures: 1 });
  const { model } = await develop(framesOf(capture), { ...choice, steps: STEPS, preset: 'focus' });
  const engine = await chooseEngine(choice);
  const refocus = (focus: number) => parseRenderQuery({ kind: 'refocus', focus });
  const began = performance.now();
  const baked = await bakeScene(model, engine);
  renderScene(baked, model, refocus(0));
  const firstMs = performance.now() - began;
  const warm = Array.from({ length: ROUNDS }, (_, i) => {
    const start = performance.now();
    renderScene(baked, model, refocus(-1 + (2 * i) / (ROUNDS - 1)));
    return performance.now() - start;
  });
  return { megapixels: (WIDTH * HEIGHT) / 1e6, firstMs, warmMs: median(warm) };
}
