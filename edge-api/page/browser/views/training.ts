import { isAbort, Problem } from '../client/api.js';
import { follow } from '../client/follow.js';
import { FINAL_EVENTS, type Session, type SessionEvent } from '../client/resources.js';
import { afterEvent, beginTraining, type TrainingState } from '../client/training-state.js';
import { announce, fill, h } from '../ui/dom.js';
import { duration, photographs } from '../ui/format.js';
import type { Context } from '../ui/view.js';
import { alertPlace, decodedImage } from '../ui/widgets.js';
import { curveOf } from './curve.js';

const PHASE_WORDS: Readonly<Record<string, string>> = {
  decode: 'Reading the photographs',
  register: 'Aligning the photographs',
  start: 'First estimate of scene and camera',
  train: 'Learning scene and camera',
  render: 'Writing the results',
};

/** Watches a training. @param onEnd it ended, one way or another */
export function trainingPart(context: Context, session: Session, onEnd: () => void): HTMLElement {
  const { api, signal, title } = context;
  const alerts = alertPlace();
  const screen = progressScreen(session);
  let state = beginTraining(session);
  const preview = previewLoader(context, screen.showPreview);
  let isDrawing = false;
  const draw = (): void => {
    isDrawing = false;
    if (signal.aborted) return;
    screen.show(state);
    title(windowTitle(state));
    if (state.preview) preview(state.preview.href);
  };
  const onEvent = (event: SessionEvent): void => {
    state = afterEvent(state, event);
    if (!isDrawing) requestAnimationFrame(draw);
    isDrawing = true;
    // The end of an earlier run is followed by the beginning of this one.
    if (event.number > session.lastEvent && FINAL_EVENTS.includes(event.type as 'trained')) onEnd();
  };
  draw();
  follow(api, session.id, { after: 0, signal, onEvent, onConnection: screen.showConnection }).catch(
    (error: unknown) => !signal.aborted && alerts.show(error),
  );
  const cancel = h('button', { type: 'button', onclick: () => void stop() }, 'Stop');
  const stop = async (): Promise<void> => {
    cancel.disabled = true;
    try {
      await api.call(`/v1/sessions/${session.id}/training`, { method: 'DELETE', attempts: 2 });
      cancel.textContent = 'Stopping …';
    } catch (error) {
      // It ended by itself in the meantime, and its event is on its way.
      if (error instanceof Problem && error.code === 'not-training') return;
      cancel.disabled = false;
      if (!isAbort(error)) alerts.show(error);
    }
  };
  screen.actions.append(cancel);
  return h('div', { class: 'training' }, alerts.element, screen.element);
}

function windowTitle({ step, stepsTotal, phase }: TrainingState): string {
  if (phase === 'train' && stepsTotal) return `${Math.floor((100 * step) / stepsTotal)} %`;
  return phase === null ? 'Waiting' : 'Developing';
}

/** Shows previews one after another; of those that come while one is loaded, the newest. */
function previewLoader({ api, signal }: Context, onImage: (image: HTMLImageElement) => void) {
  let wanted: string | undefined;
  let shown: string | undefined;
  let loading = false;
  return async (href: string): Promise<void> => {
    wanted = href;
    if (loading) return;
    loading = true;
    while (wanted !== undefined && wanted !== shown) {
      const next: string = wanted;
      try {
        onImage(await decodedImage(await api.blob(next, { signal }), 'Preview of what is learned so far'));
      } catch {
        // The next one will do.
      }
      shown = next;
    }
    loading = false;
  };
}

/** How far it is, in a picture, a bar and numbers. */
function progressScreen(session: Session) {
  const phase = h('h2', { class: 'phase' });
  const bar = h('progress', { 'aria-label': 'Training' });
  const left = h('p', { class: 'left' });
  const connection = h('p', { class: 'help', hidden: true }, 'The connection is lost. Trying again …');
  const picture = h('div', { class: 'frame' }, h('p', {}, 'The first picture comes within seconds.'));
  if (session.width && session.height) {
    picture.style.setProperty('--aspect', String(session.width / session.height));
  }
  const numbers = h('dl', { class: 'numbers' });
  const curve = h('div', { class: 'curve' });
  const notes = h('ul');
  const decided = h('details', { hidden: true }, h('summary', {}, 'What was decided'), notes);
  const actions = h('div', { class: 'actions' });
  let told = '';
  const tell = (text: string): void => {
    if (text !== told) announce(text);
    told = text;
  };
  const side = h('aside', { class: 'panel' }, phase, bar, left, connection, numbers, curve, decided, actions);
  return {
    element: h('div', { class: 'bench' }, h('div', { class: 'stage' }, picture), side),
    actions,
    showConnection(connected: boolean) {
      connection.hidden = connected;
    },
    showPreview: (image: HTMLImageElement) => fill(picture, image),
    show(state: TrainingState) {
      const { step, stepsTotal, secondsLeft } = state;
      const isTraining = state.phase === 'train' && stepsTotal !== null && stepsTotal > 0;
      phase.textContent = phaseWords(session, state);
      if (isTraining) bar.value = step / stepsTotal;
      else bar.removeAttribute('value');
      left.textContent = isTraining && secondsLeft !== null ? `${duration(secondsLeft)} left` : '';
      fillNumbers(numbers, session, state);
      curve.hidden = state.curve.length < 2;
      if (!curve.hidden) fill(curve, ...curveOf(state.curve, stepsTotal));
      decided.hidden = state.notes.length === 0;
      fill(notes, ...state.notes.map((note) => h('li', {}, note)));
      tell(isTraining ? `${Math.floor((10 * step) / stepsTotal) * 10} % learned` : phase.textContent);
    },
  };
}

function phaseWords({ state, training }: Session, { phase, waiting }: TrainingState): string {
  if (waiting !== null) return `Waiting: ${waiting}`;
  if (phase !== null) return PHASE_WORDS[phase] ?? phase;
  if (state === 'queued' && training.position !== null && training.position > 1) {
    return `Waiting: ${training.position - 1} before this one`;
  }
  return 'Waiting for a free machine';
}

function fillNumbers(list: HTMLElement, session: Session, state: TrainingState): void {
  const { step, stepsTotal, loss, psnr, stepsPerSecond, runners } = state;
  const known: [string, string | null][] = [
    // None where the picture is wanted at once.
    ['Step', stepsTotal ? `${step} of ${stepsTotal}` : null],
    ['Loss', loss === null ? null : loss.toPrecision(3)],
    ['PSNR', psnr === null ? null : `${psnr.toFixed(1)} dB`],
    ['Rate', stepsPerSecond === null ? null : `${Number(stepsPerSecond.toPrecision(2))} steps/s`],
    ['Machines', runners === null ? null : String(runners)],
    ['Input', photographs(session.frames)],
  ];
  const rows = known
    .filter(([, value]) => value !== null)
    .map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)));
  fill(list, ...rows);
}
