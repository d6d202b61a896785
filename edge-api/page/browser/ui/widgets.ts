import { Problem, wordsOf } from '../client/api.js';
import { type Child, fill, h, icon } from './dom.js';

/** Parts that several views share. */

/** Bad news in words. */
export function alertBox(words: string, ...actions: Child[]): HTMLElement {
  return h('div', { class: 'alert', role: 'alert' }, h('p', {}, words), ...actions);
}

/** A place for bad news about what was just tried. */
export function alertPlace(): { readonly element: HTMLElement; show(error: unknown): void; clear(): void } {
  const element = h('div', { class: 'alerts' });
  return {
    element,
    show(error) {
      const close = h(
        'button',
        { class: 'quiet icon-only', type: 'button', 'aria-label': 'Dismiss', onclick: () => fill(element) },
        icon('cross'),
      );
      fill(element, alertBox(wordsOf(error), close));
    },
    clear: () => fill(element),
  };
}

export interface Question {
  readonly title: string;
  readonly text: string;
  /** What the button that does it says. */
  readonly action: string;
}

/** Asks before something that cannot be undone. @returns whether to do it */
export function confirmed({ title, text, action }: Question): Promise<boolean> {
  return new Promise((resolve) => {
    const close = (): void => dialog.close('no');
    const dialog = h(
      'dialog',
      { 'aria-labelledby': 'question' },
      h('h2', { id: 'question' }, title),
      h('p', {}, text),
      h(
        'div',
        { class: 'actions' },
        h('button', { type: 'button', autofocus: true, onclick: close }, 'Keep'),
        h('button', { class: 'danger', type: 'button', onclick: () => dialog.close('yes') }, action),
      ),
    );
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** One choice of several, as a row of radio buttons. */
export function choice<T extends string>(
  name: string,
  legend: string,
  options: readonly (readonly [value: T, label: string, hint?: string])[],
  chosen: T,
  onChange: (value: T) => void = () => undefined,
): HTMLFieldSetElement {
  const items = options.map(([value, label, hint]) => {
    const change = (): void => onChange(value);
    const input = h('input', { type: 'radio', name, value, checked: value === chosen, onchange: change });
    return h('label', {}, input, h('span', {}, label, hint !== undefined && h('small', {}, hint)));
  });
  return h('fieldset', { class: 'choice' }, h('legend', {}, legend), h('div', {}, ...items));
}

/** Sets a choice from outside, without its onChange. */
export function choose(fieldset: HTMLFieldSetElement, value: string): void {
  for (const input of fieldset.querySelectorAll('input')) input.checked = input.value === value;
}

export interface SliderOptions {
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly value: number;
  /** The value in words, beside the label and for screen readers. */
  readonly words: (value: number) => string;
  readonly onInput: (value: number) => void;
  /** What stands at the two ends. */
  readonly ends?: readonly [string, string];
}

export interface Slider {
  readonly element: HTMLElement;
  set(value: number): void;
}

let sliders = 0;

/** A slider with its name and value; a double click puts it back. */
export function slider(options: SliderOptions): Slider {
  const { label, min, max, step, value: initial, words, onInput, ends } = options;
  const id = `slider-${++sliders}`;
  const output = h('output', { for: id });
  const input = h('input', { id, type: 'range', min, max, step, value: initial });
  const show = (): void => {
    const value = Number(input.value);
    output.textContent = words(value);
    input.setAttribute('aria-valuetext', words(value));
    input.style.setProperty('--at', String((value - min) / (max - min)));
  };
  const set = (value: number): void => {
    input.value = String(value);
    show();
  };
  input.addEventListener('input', () => {
    show();
    onInput(Number(input.value));
  });
  input.addEventListener('dblclick', () => {
    set(initial);
    onInput(initial);
  });
  show();
  const element = h(
    'div',
    { class: 'slider' },
    h('div', { class: 'row' }, h('label', { for: id }, label), output),
    input,
    ends &&
      h('div', { class: 'ends', 'aria-hidden': 'true' }, h('span', {}, ends[0]), h('span', {}, ends[1])),
  );
  return { element, set };
}

/** Saves what a request gives as a file. (A plain link could not carry the key.) */
export function saveAs(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = h('a', { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  // The browser reads the content after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** An img that shows a blob once it has decoded; its address goes when it is replaced. @throws Problem */
export async function decodedImage(content: Blob, alt: string): Promise<HTMLImageElement> {
  const image = h('img', { alt, draggable: 'false' });
  const url = URL.createObjectURL(content);
  image.src = url;
  try {
    await image.decode();
  } catch {
    throw new Problem(415, 'not-shown', 'This browser cannot show the picture. Download it instead.');
  } finally {
    URL.revokeObjectURL(url);
  }
  return image;
}
