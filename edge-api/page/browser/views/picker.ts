import { h, icon } from '../ui/dom.js';

export interface PickerOptions {
  readonly title: string;
  readonly text?: string;
  /** Ends the picker. */
  readonly signal: AbortSignal;
  readonly onFiles: (files: readonly File[]) => void;
}

export interface Picker {
  readonly element: HTMLElement;
  disabled: boolean;
}

/** What the service reads; by name too, as some systems know no type of AVIF and TIFF. */
const ACCEPTED =
  'image/jpeg,image/png,image/webp,image/tiff,image/avif,.jpg,.jpeg,.png,.webp,.tif,.tiff,.avif';

/** Takes photographs: chosen, dropped anywhere on the page, or pasted. */
export function photographPicker({ title, text, signal, onFiles }: PickerOptions): Picker {
  const input = h('input', { type: 'file', multiple: true, accept: ACCEPTED });
  const take = (list: FileList | null | undefined): void => {
    const files = [...(list ?? [])];
    if (files.length > 0 && !input.disabled) onFiles(files);
  };
  input.addEventListener('change', () => {
    take(input.files);
    // So that the same file can be chosen again.
    input.value = '';
  });
  const element = h(
    'label',
    { class: 'picker' },
    input,
    icon('add'),
    h('strong', {}, title),
    text !== undefined && h('span', {}, text),
    h('span', { class: 'for-mouse' }, 'Or drop them anywhere.'),
  );
  const over = (event: DragEvent, inside: boolean): void => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    element.classList.toggle('over', inside);
  };
  const options = { signal };
  document.addEventListener('dragover', (event) => over(event, true), options);
  document.addEventListener(
    'dragleave',
    (event) => {
      if (event.relatedTarget === null) over(event, false);
    },
    options,
  );
  document.addEventListener(
    'drop',
    (event) => {
      over(event, false);
      take(event.dataTransfer?.files);
    },
    options,
  );
  document.addEventListener('paste', (event) => take(event.clipboardData?.files), options);
  return {
    element,
    get disabled() {
      return input.disabled;
    },
    set disabled(value) {
      input.disabled = value;
    },
  };
}
