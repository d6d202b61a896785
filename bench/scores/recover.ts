import type { TrainedModel } from '../../develop/options.js';
import { renderScene } from '../../develop/render/scene-renderer.js';
import { ImplicamError } from '../../model/errors.js';
import { AFFINE, findGroup } from '../../model/layout.js';
import { createPicture, type Picture } from '../../model/picture.js';
import { createPlan, type Homography, IDENTITY, type Plan } from '../../model/plan.js';
import { parseRenderQuery } from '../../model/render/query.js';
import type { BakedScene } from '../../model/render/render.js';
import type { Recovered } from './evaluate.js';

/**
 * What a model recovered, as one of its frames sees it: registered captures are developed in the view of a frame of
 * their own choice, a truth is in the view of another.
 *
 * @param frame file name of the frame; the model's own view where it is left out.
 * @throws ImplicamError `truth-mismatch` when the model was not made from such a frame.
 */
export function recover(model: TrainedModel, baked: BakedScene, frame?: string): Recovered {
  const radiance = renderScene(baked, model, parseRenderQuery({ tone: 'linear' }));
  const defocus =
    model.config.blur.form === 'lens'
      ? renderScene(baked, model, parseRenderQuery({ kind: 'depth', tone: 'linear' }))
      : undefined;
  const homography = frame === undefined ? IDENTITY : frameHomography(model, frame);
  if (homography.every((v, i) => v === IDENTITY[i])) return { radiance, ...(defocus ? { defocus } : {}) };
  const light = { ...radiance, data: radiance.data.map((v) => Math.log(Math.max(v, 1e-12))) };
  const seen = resample(light, homography);
  for (let i = 0; i < seen.data.length; i++) seen.data[i] = Math.exp(seen.data[i]);
  return { radiance: seen, ...(defocus ? { defocus: resample(defocus, homography) } : {}) };
}

/**
 * Takes places of a frame to those of the model's scene, in the plan's units.
 *
 * @throws ImplicamError `truth-mismatch` when the model was not made from such a frame.
 */
export function frameHomography(model: TrainedModel, frame: string): Homography {
  const index = model.info.frames.findIndex(({ file }) => file === frame);
  if (index < 0) {
    throw new ImplicamError(
      'truth-mismatch',
      `the model was not made from ${frame}, which its truth is registered to: name the model and the sample that belong together`,
      { exitCode: 2 },
    );
  }
  const plan = createPlan(model.capture, model.config, model.seed);
  return viewHomography(
    plan,
    model.state.parameters,
    plan.views.findIndex((v) => v.frames.includes(index)),
  );
}

/** The homography of a view with what was learned on top (docs/reference/MODEL.md, "Views, registration"). */
export function viewHomography(plan: Plan, parameters: Float32Array, view: number): Homography {
  const out = [...plan.views[view].homography];
  const group = findGroup(plan.layout, 'registration');
  if (group && view > 0) {
    const from = group.offset + (view - 1) * AFFINE.length;
    for (const [j, coefficient] of AFFINE.entries()) out[coefficient] += parameters[from + j];
  }
  return out as unknown as Homography;
}

/** Picture(D(p)) at every pixel p, by Catmull-Rom interpolation; beyond the border the nearest pixel repeats. */
export function resample(picture: Picture, homography: Homography): Picture {
  const { width, height, channels, data } = picture;
  const out = createPicture(width, height, channels);
  const [m0, m1, m2, m3, m4, m5, m6, m7] = homography;
  const side = Math.max(width, height);
  const wx = new Float64Array(4);
  const wy = new Float64Array(4);
  for (let y = 0; y < height; y++) {
    const v = (2 * y + 1 - height) / side;
    for (let x = 0; x < width; x++) {
      const u = (2 * x + 1 - width) / side;
      const z = m6 * u + m7 * v + 1;
      const px = (((m0 * u + m1 * v + m2) / z) * side + width - 1) / 2;
      const py = (((m3 * u + m4 * v + m5) / z) * side + height - 1) / 2;
      const ix = Math.floor(px);
      const iy = Math.floor(py);
      catmullRom(px - ix, wx);
      catmullRom(py - iy, wy);
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let j = 0; j < 4; j++) {
          const row = Math.min(Math.max(iy - 1 + j, 0), height - 1) * width;
          let line = 0;
          for (let i = 0; i < 4; i++) {
            const column = Math.min(Math.max(ix - 1 + i, 0), width - 1);
            line += wx[i] * data[channels * (row + column) + c];
          }
          sum += wy[j] * line;
        }
        out.data[channels * (y * width + x) + c] = sum;
      }
    }
  }
  return out;
}

function catmullRom(t: number, w: Float64Array): void {
  w[0] = ((2 - t) * t - 1) * t * 0.5;
  w[1] = ((3 * t - 5) * t * t + 2) * 0.5;
  w[2] = ((4 - 3 * t) * t + 1) * t * 0.5;
  w[3] = (t - 1) * t * t * 0.5;
}
