import type { Session } from '../client/resources.js';
import { h } from '../ui/dom.js';
import type { Context } from '../ui/view.js';
import { alertBox, alertPlace, choice } from '../ui/widgets.js';
import { PRESET_WORDS, QUALITY_SENTENCES, QUALITY_WORDS } from '../ui/words.js';

export interface StartPart {
  readonly element: HTMLElement;
  /** What became of the training before. */
  readonly notice: HTMLElement;
  /** Says how many photographs are there, and whether some are still on their way. */
  ready(count: number, busy: boolean): void;
}

/** How to train, and the button that begins it. */
export function startPart({ api }: Context, session: Session, onStarted: () => void): StartPart {
  const alerts = alertPlace();
  const options = PRESET_WORDS.map(([value, label]) =>
    h('option', { value, selected: value === session.preset }, label),
  );
  const preset = h('select', { id: 'preset' }, ...options);
  let quality = session.quality as keyof typeof QUALITY_SENTENCES;
  const purpose = h('p', { class: 'help', 'aria-live': 'polite' }, QUALITY_SENTENCES[quality]);
  const qualities = choice('quality', 'Quality', QUALITY_WORDS, quality, (value) => {
    quality = value;
    purpose.textContent = QUALITY_SENTENCES[value];
  });
  const reason = h('p', { class: 'help', id: 'start-help' });
  const start = h(
    'button',
    { class: 'primary', type: 'submit', 'aria-describedby': 'start-help' },
    'Develop',
  );
  const ask = async (body: object, button: HTMLButtonElement): Promise<void> => {
    button.disabled = true;
    try {
      await api.post(`/v1/sessions/${session.id}/training`, body);
      onStarted();
    } catch (error) {
      alerts.show(error);
      button.disabled = false;
    }
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    void ask({ preset: preset.value, quality }, start);
  };
  const element = h(
    'form',
    { class: 'start panel', onsubmit: submit },
    h('div', { class: 'field' }, h('label', { for: 'preset' }, 'What differs between them'), preset),
    h('div', { class: 'field' }, qualities, purpose),
    h('div', { class: 'field' }, start, reason),
    alerts.element,
  );
  return {
    element,
    notice: h(
      'div',
      {},
      ended(session, (button) => void ask({ resume: true }, button)),
    ),
    ready(count, busy) {
      start.disabled = busy || count < 2;
      if (busy) reason.textContent = 'The photographs are on their way.';
      else reason.textContent = count < 2 ? 'Two photographs or more are needed.' : '';
    },
  };
}

function ended(session: Session, onResume: (button: HTMLButtonElement) => void): HTMLElement | undefined {
  const { state, error, training } = session;
  if (state !== 'failed' && state !== 'cancelled') return undefined;
  const resume = h('button', { type: 'button', onclick: () => onResume(resume) }, 'Go on');
  if (state === 'failed') {
    const words = error ? `The training failed: ${error.message}` : 'The training failed.';
    return alertBox(words, resume);
  }
  const { step, stepsTotal } = training;
  const where = step !== null && stepsTotal !== null ? ` at step ${step} of ${stepsTotal}` : '';
  return h(
    'div',
    { class: 'notice' },
    h('p', {}, `The training was stopped${where}. It can go on from there.`),
    resume,
  );
}
