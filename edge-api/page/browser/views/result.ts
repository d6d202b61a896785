import { isAbort, Problem } from '../client/api.js';
import { Latest } from '../client/latest.js';
import { FIRST_LOOK, type Look, pixelsFor, renderPath } from '../client/render-query.js';
import type { Frame, Session } from '../client/resources.js';
import { announce, h } from '../ui/dom.js';
import { opening as openingWords, stops } from '../ui/format.js';
import type { Context } from '../ui/view.js';
import { alertPlace, choice, choose, decodedImage, slider } from '../ui/widgets.js';
import { comparePart } from './compare.js';
import { downloadsPart } from './downloads.js';
import { pictureStage } from './stage.js';

const KINDS = [
  ['all-in-focus', 'All in focus'],
  ['refocus', 'Refocus'],
  ['depth', 'Depth'],
] as const;

const TONES = [
  ['auto', 'Automatic'],
  ['local', 'Shadows and lights'],
  ['learned', "The camera's own"],
  ['filmic', 'Film'],
  ['srgb', 'Plain'],
] as const;

/** What was made of the photographs, to be looked at as one likes. */
export function resultPart(context: Context, session: Session): HTMLElement {
  const { api, signal } = context;
  const { id, width, height, model } = session;
  const target = { session: id, model: model!, width: width!, height: height! };
  const alerts = alertPlace();
  let look: Look = FIRST_LOOK;

  const stage = pictureStage({
    ...target,
    onPoint(point) {
      change({ kind: 'refocus', point });
      announce(`Focus ${Math.round(100 * point.x)} % across, ${Math.round(100 * point.y)} % down`);
    },
  });
  const renders = new Latest<Look, HTMLImageElement>({
    debounce: 50,
    patience: 1500,
    async load(query, stop) {
      const pixels = pixelsFor(stage.frame.clientWidth, devicePixelRatio, target.width);
      const content = await api.blob(renderPath(target, query, 'jpeg', pixels), { signal: stop });
      return decodedImage(content, altOf(query));
    },
    onResult(image) {
      stage.showPicture(image);
    },
    onError(error) {
      if (isAbort(error)) return;
      // Exposure brackets are learned without a lens: there is nothing to focus.
      if (error instanceof Problem && error.code === 'no-defocus-map') {
        controls.forgetLens();
        change({ kind: 'all-in-focus' });
      }
      alerts.show(error);
    },
    onBusy: stage.showBusy,
  });
  signal.addEventListener('abort', () => renders.close());

  const controls = lookControls(look, (part) => change(part));
  function change(part: Partial<Look>): void {
    alerts.clear();
    look = { ...look, ...part };
    controls.show(look);
    side.dataset.kind = look.kind;
    stage.showPoint(look.kind === 'refocus' ? look.point : undefined);
    renders.ask(look);
  }
  window.addEventListener('resize', () => renders.ask(look), { signal });

  const compare = comparePart(context, session, stage.showSource, alerts.show);
  void compare.frames.then((frames) => controls.knowLens(frames));
  const side = h(
    'aside',
    { class: 'panel', 'aria-label': 'Controls' },
    controls.element,
    compare.element,
    downloadsPart(context, target, () => look, alerts.show),
  );
  change({});
  return h('div', { class: 'result' }, alerts.element, h('div', { class: 'bench' }, stage.element, side));
}

function altOf({ kind }: Look): string {
  if (kind === 'depth') return 'Depth of the scene, near parts bright';
  return kind === 'refocus' ? 'The scene, focused on the chosen point' : 'The scene, all of it in focus';
}

/** Kind, aperture, exposure and tone. */
function lookControls(first: Look, onChange: (part: Partial<Look>) => void) {
  let widest: number | undefined;
  const kind = choice('kind', 'Show', KINDS, first.kind, (value) => onChange({ kind: value }));
  const aperture = slider({
    label: 'Aperture',
    min: -3,
    max: 7,
    step: 0.25,
    value: 0,
    words: (value) => openingWords(-value, widest),
    onInput: (value) => onChange({ kind: 'refocus', opening: -value }),
    ends: ['shallow', 'deep'],
  });
  const exposure = slider({
    label: 'Exposure',
    min: -5,
    max: 5,
    step: 0.1,
    value: 0,
    words: (value) => `${stops(value)} EV`,
    onInput: (value) => onChange({ ev: value }),
    ends: ['darker', 'brighter'],
  });
  const options = TONES.map(([value, label]) => h('option', { value }, label));
  const tone = h('select', { id: 'tone' }, ...options);
  tone.addEventListener('change', () => onChange({ tone: tone.value as Look['tone'] }));
  const toned = h('div', { class: 'field inline' }, h('label', { for: 'tone' }, 'Tone'), tone);
  const hint = h('p', { class: 'help' });
  return {
    element: h('div', { class: 'controls' }, kind, hint, aperture.element, exposure.element, toned),
    show(look: Look) {
      choose(kind, look.kind);
      aperture.element.hidden = look.kind !== 'refocus';
      exposure.element.hidden = look.kind === 'depth';
      toned.hidden = look.kind === 'depth';
      hint.textContent =
        look.kind === 'depth' ? 'Near is bright, far is dark.' : 'Tap the picture to focus there.';
    },
    forgetLens() {
      for (const input of kind.querySelectorAll('input')) input.disabled = input.value !== 'all-in-focus';
    },
    /** The f-numbers of the photographs give the opening its name. */
    knowLens(frames: readonly Frame[]) {
      const known = frames.map(({ camera }) => camera.fNumber).filter((value) => value !== undefined);
      if (known.length === 0) return;
      widest = Math.min(...known);
      aperture.set(0);
    },
  };
}
