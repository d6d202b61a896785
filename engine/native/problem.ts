import type { GridLevel } from '../../model/hash-grid.js';
import { AFFINE, atlasWidths, findGroup, freeBlurWidths, gridOffset, mapWidths } from '../../model/layout.js';
import { isWarped, type Plan } from '../../model/plan.js';
import { sequenceKey } from '../../model/sampler.js';
import type { Rect } from '../../model/shards.js';
import type { SceneData } from '../engine.js';

/** A plan and its data as the addon reads them (engine/native/addon/read_problem.cpp): numbers, lists, typed arrays. */
export type Problem = ReturnType<typeof createProblem>;

const BLUR_FORMS = { none: 0, lens: 1, free: 2 } as const;

/** Describes a training for the addon, of which this process hosts the given shards (ascending). */
export function createProblem(plan: Plan, data: SceneData, hosted: readonly number[]) {
  const { config, capture, layout } = plan;
  const { atlas, blur, tone } = config;
  const offset = (name: string) => findGroup(layout, name)?.offset ?? -1;
  const firstGrid = layout.groups.find((g) => g.sparse);
  const registration = offset('registration');
  return {
    width: capture.width,
    height: capture.height,
    residual: config.residual,
    siren: atlas.form === 'siren',
    omega: atlas.form === 'siren' ? atlas.omega : 0,
    logLight: config.light === 'log',
    atlasLevels: layout.atlasLevels as GridLevel[],
    mapLevels: layout.mapLevels as GridLevel[],
    atlas: { widths: atlasWidths(config), offset: offset('atlas.mlp') },
    map: { widths: mapWidths(config), offset: offset('map.mlp') },
    blur: { widths: freeBlurWidths(config), offset: offset('blur.mlp') },
    blurForm: BLUR_FORMS[blur.form],
    taps: blur.form === 'free' ? blur.taps : 1,
    patch: blur.form === 'lens' ? blur.patch : 0,
    reach: blur.form === 'lens' ? blur.reach : 0,
    margin: isWarped(plan) ? 1 : 0,
    blurGrid: blur.form === 'free' && blur.grid,
    maxShift: blur.form === 'free' ? blur.maxShift : 0,
    knots: tone.form === 'knots' ? tone.knots : 0,
    toneLow: tone.form === 'knots' ? tone.low : 0,
    toneHidden: tone.form === 'mlp' ? tone.hidden : 0,
    tone: offset('tone'),
    exposure: offset('exposure'),
    focus: offset('focus'),
    kappa: offset('kappa'),
    registration,
    shared: firstGrid?.offset ?? layout.size,
    kappaStart: capture.kappa,
    focusSettings: capture.focus.length,
    exposures: plan.exposures.parameters,
    evSquash: plan.exposures.squash,
    evBase: [...plan.exposures.base],
    evBasis: plan.exposures.basis.flat(),
    // As philox reads it: the low 32 bits.
    seed: plan.seed >>> 0,
    loss: config.loss,
    views: plan.views.map((view, i) => ({
      focus: view.focus,
      aperture: view.aperture,
      homography: [...view.homography],
      frames: [...view.frames],
      registration: i > 0 && registration >= 0 ? registration + (i - 1) * AFFINE.length : -1,
    })),
    shards: plan.shards.map((shard, i) => ({
      tiled: shard.tiled,
      own: shard.own as Rect,
      grid: shard.grid as Rect,
      draws: shard.draws,
      drawOffset: shard.drawOffset,
      drawStride: shard.drawStride,
      key: sequenceKey(shard, i),
      atlasGrid: gridOffset(layout, 'atlas.grid', i),
      mapGrid: gridOffset(layout, 'map.grid', i),
    })),
    frames: data.frames.map((f) => ({ data: f.data, mask: f.mask })),
    startRadiance: data.start?.radiance,
    startDefocus: data.start?.defocus.length ? data.start.defocus : undefined,
    groups: layout.groups.map((g) => ({
      offset: g.offset,
      size: g.size,
      rate: config.train.rates[g.kind],
      sparse: g.sparse,
      shard: g.scope === 'shared' ? -1 : g.scope.shard,
    })),
    hosted: [...hosted],
    size: layout.size,
    beta1: config.train.beta1,
    beta2: config.train.beta2,
  };
}
