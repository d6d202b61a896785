import { fill, h } from '../ui/dom.js';

export interface Point {
  /** Shares of width and height, 0 to 1 from the upper left. */
  readonly x: number;
  readonly y: number;
}

export interface StageOptions {
  readonly width: number;
  readonly height: number;
  /** A point was tapped, or chosen with the keyboard. */
  readonly onPoint: (point: Point) => void;
}

export interface Stage {
  readonly element: HTMLElement;
  /** Where the picture is: as wide as it is shown. */
  readonly frame: HTMLElement;
  showPicture(image: HTMLImageElement): void;
  /** The photograph to compare with, over the left part; undefined: none. */
  showSource(image: HTMLImageElement | undefined): void;
  /** The mark on the point in focus; undefined: none. */
  showPoint(point: Point | undefined): void;
  showBusy(busy: boolean): void;
}

/** Farther than this from where it began, in CSS pixels, a touch is no tap. */
const TAP_RADIUS = 10;
/** An arrow key moves the point by this share of the picture, with Shift by five of them. */
const KEY_STEP = 0.02;

const clamp = (value: number): number => Math.min(1, Math.max(0, value));

/** The picture, on which a tap or the arrow keys choose the point in focus, and a photograph beside it to compare. */
export function pictureStage({ width, height, onPoint }: StageOptions): Stage {
  const picture = h('div', { class: 'layer' });
  const source = h('div', { class: 'layer source', hidden: true });
  const reticle = h('div', { class: 'reticle', hidden: true });
  const busy = h('div', { class: 'busy', hidden: true });
  const split = h('input', {
    class: 'split',
    type: 'range',
    min: 0,
    max: 100,
    value: 50,
    hidden: true,
    'aria-label': 'Where photograph and result meet',
  });
  const target = h('div', {
    class: 'target',
    tabindex: '0',
    role: 'application',
    'aria-label': 'Picture. Tap, or move with the arrow keys, to choose what is in focus.',
  });
  const frame = h('div', { class: 'frame' }, picture, source, target, reticle, split, busy);
  frame.style.setProperty('--aspect', String(width / height));

  let point: Point = { x: 0.5, y: 0.5 };
  const choose = (to: Point): void => {
    point = { x: clamp(to.x), y: clamp(to.y) };
    onPoint(point);
  };
  listenForTaps(target, choose);
  target.addEventListener('keydown', (event) => {
    const move = moveOf(event);
    if (!move) return;
    event.preventDefault();
    choose({ x: point.x + move.x, y: point.y + move.y });
  });
  const follow = (): void => frame.style.setProperty('--split', `${split.value}%`);
  split.addEventListener('input', follow);
  follow();

  return {
    element: h('div', { class: 'stage' }, frame),
    frame,
    showPicture: (image) => fill(picture, image),
    showSource(image) {
      fill(source, image, image && h('span', {}, 'Photograph'));
      source.hidden = image === undefined;
      split.hidden = image === undefined;
    },
    showPoint(to) {
      reticle.hidden = to === undefined;
      if (to === undefined) return;
      point = to;
      reticle.style.left = `${100 * to.x}%`;
      reticle.style.top = `${100 * to.y}%`;
    },
    showBusy(is) {
      busy.hidden = !is;
      frame.setAttribute('aria-busy', String(is));
    },
  };
}

function listenForTaps(target: HTMLElement, onTap: (point: Point) => void): void {
  let began: { readonly x: number; readonly y: number; readonly pointer: number } | undefined;
  target.addEventListener(
    'pointerdown',
    ({ isPrimary, button, clientX: x, clientY: y, pointerId: pointer }) => {
      // A second finger makes it a pinch.
      began = isPrimary && button === 0 ? { x, y, pointer } : undefined;
    },
  );
  target.addEventListener('pointercancel', () => {
    began = undefined;
  });
  target.addEventListener('pointerup', ({ clientX: x, clientY: y, pointerId }) => {
    const from = began;
    began = undefined;
    if (from?.pointer !== pointerId || Math.hypot(x - from.x, y - from.y) > TAP_RADIUS) return;
    const box = target.getBoundingClientRect();
    onTap({ x: (x - box.left) / box.width, y: (y - box.top) / box.height });
  });
}

function moveOf({ key, shiftKey, ctrlKey, metaKey, altKey }: KeyboardEvent): Point | undefined {
  if (ctrlKey || metaKey || altKey) return undefined;
  const step = shiftKey ? 5 * KEY_STEP : KEY_STEP;
  switch (key) {
    case 'ArrowLeft':
      return { x: -step, y: 0 };
    case 'ArrowRight':
      return { x: step, y: 0 };
    case 'ArrowUp':
      return { x: 0, y: -step };
    case 'ArrowDown':
      return { x: 0, y: step };
    case 'Enter':
    case ' ':
      return { x: 0, y: 0 };
    default:
      return undefined;
  }
}
