import { isAbort } from '../client/api.js';
import { type Look, type RenderFormat, type RenderTarget, renderPath } from '../client/render-query.js';
import type { Model } from '../client/resources.js';
import { announce, fill, h, icon } from '../ui/dom.js';
import { byteSize } from '../ui/format.js';
import type { Context } from '../ui/view.js';
import { saveAs } from '../ui/widgets.js';

const FORMATS: readonly (readonly [RenderFormat, string, string])[] = [
  ['png', 'PNG', '.png'],
  ['ultrahdr', 'UltraHDR JPEG', '.jpg'],
  ['exr', 'EXR, linear light', '.exr'],
];

/** What is looked at as a file, at full size; and what else the training left. */
export function downloadsPart(
  context: Context,
  target: RenderTarget,
  look: () => Look,
  onError: (error: unknown) => void,
): HTMLElement {
  const { api, signal } = context;
  const base = `/v1/sessions/${target.session}`;
  const button = (label: string, path: () => string, name: () => string, detail = ''): HTMLElement => {
    const save = async (): Promise<void> => {
      made.disabled = true;
      made.setAttribute('aria-busy', 'true');
      try {
        saveAs(await api.blob(path(), { signal }), name());
        announce(`${label} saved`);
      } catch (error) {
        if (!isAbort(error)) onError(error);
      }
      made.disabled = false;
      made.removeAttribute('aria-busy');
    };
    const made = h(
      'button',
      { class: 'file', type: 'button', onclick: () => void save() },
      icon('download'),
      h('span', {}, label),
      detail !== '' && h('small', {}, detail),
    );
    return made;
  };
  const pictures = FORMATS.map(([format, label, extension]) => {
    const made = button(
      label,
      () => renderPath(target, look(), format),
      () => `${look().kind}${extension}`,
    );
    made.dataset.format = format;
    return made;
  });
  const files = h('div', { class: 'files' });
  const model = `${base}/models/${target.model}`;
  const chart = `${base}/render?kind=response&format=png&model=${target.model}`;
  void api.json<Model>(model, { signal }).then(
    ({ bytes, outputs }) => {
      const isTold = outputs.some(({ name }) => name === 'response.json');
      fill(
        files,
        ...outputs.map((output) =>
          button(
            output.name,
            () => `${model}/outputs/${encodeURIComponent(output.name)}`,
            () => output.name,
            byteSize(output.bytes),
          ),
        ),
        !isTold &&
          button(
            'Camera response, chart',
            () => chart,
            () => 'response.png',
          ),
        button(
          'Model, safetensors',
          () => `${model}/file`,
          () => 'model.safetensors',
          byteSize(bytes),
        ),
      );
    },
    (error: unknown) => !isAbort(error) && onError(error),
  );
  return h(
    'div',
    { class: 'downloads' },
    h('h2', {}, 'Download'),
    h('div', { class: 'files' }, ...pictures),
    h('details', {}, h('summary', {}, 'Model and files of the training'), files),
  );
}
