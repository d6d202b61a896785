import { Api, isAbort, wordsOf } from '../client/api.js';
import { fill, h } from '../ui/dom.js';
import type { View } from '../ui/view.js';
import { alertBox } from '../ui/widgets.js';

/**
 * Asks for an API key and tries it.
 *
 * @param words why it is asked for, where there was one before
 */
export function keyView(words: string, enter: (key: string) => void): View {
  return ({ signal, title }) => {
    title('');
    const input = h('input', {
      id: 'key',
      name: 'key',
      type: 'text',
      autocomplete: 'off',
      autocapitalize: 'none',
      spellcheck: 'false',
      required: true,
      placeholder: 'ik_…',
      'aria-describedby': 'key-help',
    });
    const message = h('div', { 'aria-live': 'assertive' }, words !== '' && alertBox(words));
    const button = h('button', { class: 'primary', type: 'submit' }, 'Continue');
    const submit = async (event: Event): Promise<void> => {
      event.preventDefault();
      const key = input.value.trim();
      if (!/^[\x21-\x7e]+$/.test(key)) {
        fill(message, alertBox('A key is letters, digits, - and _, without spaces. Copy it again.'));
        return;
      }
      button.disabled = true;
      try {
        await new Api(key, () => undefined).json('/v1/sessions?limit=1', { signal });
        enter(key);
      } catch (error) {
        if (!isAbort(error)) fill(message, alertBox(wordsOf(error)));
        button.disabled = false;
        input.focus();
      }
    };
    return h(
      'form',
      { class: 'key', onsubmit: (event: Event) => void submit(event) },
      h('h1', { tabindex: '-1', 'data-entry': true }, 'One picture out of many'),
      h(
        'p',
        { class: 'lead' },
        'Photographs of one scene at several focus distances or exposures go in. One picture comes out, ' +
          'whose focus, aperture and exposure are chosen afterwards.',
      ),
      h('label', { for: 'key' }, 'API key'),
      h('div', { class: 'row' }, input, button),
      h(
        'p',
        { id: 'key-help', class: 'help' },
        'The service prints it once, when it is started for the first time.',
      ),
      message,
    );
  };
}
