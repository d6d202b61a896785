import { type Api, isAbort } from '../client/api.js';
import { handOver } from '../client/handover.js';
import { isActive, type Session } from '../client/resources.js';
import { pause } from '../client/wait.js';
import { fill, h, icon } from '../ui/dom.js';
import { photographs, stateWord, when } from '../ui/format.js';
import type { Context, View } from '../ui/view.js';
import { alertPlace, decodedImage } from '../ui/widgets.js';
import { deleteSession } from './delete.js';
import { photographPicker } from './picker.js';

/** Seconds between looks at the list while something in it goes on. */
const REFRESH_SECONDS = 4;

/** Where photographs are brought, and what was made of those before. */
export const homeView: View = (context) => {
  const { api, signal, go, title } = context;
  title('');
  const alerts = alertPlace();
  const begin = async (files: readonly File[]): Promise<void> => {
    picker.disabled = true;
    try {
      const session = await api.post<Session>('/v1/sessions', {});
      handOver(session.id, files);
      go(`/sessions/${session.id}`);
    } catch (error) {
      picker.disabled = false;
      if (!isAbort(error)) alerts.show(error);
    }
  };
  const picker = photographPicker({
    title: 'Choose photographs',
    text: 'Two or more of one scene, at different focus distances or exposures.',
    signal,
    onFiles: (files) => void begin(files),
  });
  const list = h('section', { class: 'sessions', 'aria-label': 'Sessions' });
  void keepList(context, list, alerts.show);
  return h(
    'div',
    { class: 'home' },
    h('h1', { class: 'unseen', tabindex: '-1', 'data-entry': true }, 'Sessions'),
    picker.element,
    alerts.element,
    list,
  );
};

interface Page {
  readonly sessions: readonly Session[];
  readonly next: string | null;
}

/** Shows the list and keeps it new while something in it goes on. */
async function keepList(
  context: Context,
  list: HTMLElement,
  onError: (error: unknown) => void,
): Promise<void> {
  const { api, signal } = context;
  const cards = new Map<string, Card>();
  const grid = h('ul', { class: 'grid' });
  let limit = 24;
  const more = h('button', { type: 'button', onclick: () => showMore() }, 'Show more');
  const refresh = async (): Promise<boolean> => {
    const { sessions, next } = await api.json<Page>(`/v1/sessions?limit=${limit}`, { signal });
    const remove = (id: string) => (): void => {
      cards.get(id)?.element.remove();
      cards.delete(id);
    };
    const shown = sessions.map((session) => {
      const card = cards.get(session.id) ?? sessionCard(context, session, remove(session.id), onError);
      cards.set(session.id, card);
      card.update(session);
      return card.element;
    });
    if (shown.some((element, i) => grid.children[i] !== element) || shown.length !== grid.children.length) {
      fill(grid, ...shown);
    }
    if (shown.length === 0) fill(list);
    else fill(list, h('h2', {}, 'Sessions'), grid, next !== null && limit < 200 && more);
    return sessions.some(isActive);
  };
  const showMore = (): void => {
    limit = Math.min(200, limit * 2);
    void refresh().catch(onError);
  };
  try {
    for (;;) {
      const active = document.hidden || (await refresh());
      await pause(1000 * REFRESH_SECONDS * (active ? 1 : 5), signal);
    }
  } catch (error) {
    if (!signal.aborted) onError(error);
  }
}

interface Card {
  readonly element: HTMLElement;
  update(session: Session): void;
}

function sessionCard(
  context: Context,
  session: Session,
  onDeleted: () => void,
  onError: (error: unknown) => void,
): Card {
  const { api, signal } = context;
  const picture = h('div', { class: 'thumb' }, icon('photographs'));
  const state = h('span', { class: 'state' });
  const name = when(session.createdAt, new Date());
  const details = h('span', { class: 'details' });
  const bar = h('span', { class: 'meter' });
  const remove = async (): Promise<void> => {
    try {
      if (await deleteSession(api, session.id)) onDeleted();
    } catch (error) {
      onError(error);
    }
  };
  const element = h(
    'li',
    { class: 'card' },
    h(
      'a',
      { href: `#/sessions/${session.id}` },
      picture,
      bar,
      h('span', { class: 'name' }, name),
      details,
      state,
    ),
    h(
      'button',
      {
        class: 'quiet icon-only',
        type: 'button',
        'aria-label': `Delete ${name}`,
        onclick: () => void remove(),
      },
      icon('bin'),
    ),
  );
  let pictured = false;
  return {
    element,
    update(now) {
      const { step, stepsTotal } = now.training;
      const share = now.state === 'training' && stepsTotal ? (step ?? 0) / stepsTotal : 0;
      bar.style.setProperty('--at', String(share));
      bar.hidden = !isActive(now);
      details.textContent = photographs(now.frames);
      state.textContent = share > 0 ? `${stateWord(now)} ${Math.floor(100 * share)} %` : stateWord(now);
      state.dataset.state = now.state;
      if (pictured || now.frames === 0) return;
      pictured = true;
      void thumbnail(api, now, signal).then((image) => image && fill(picture, image));
    },
  };
}

/** The first photograph of a session; nothing where there is none to show. */
async function thumbnail(
  api: Api,
  { id }: Session,
  signal: AbortSignal,
): Promise<HTMLImageElement | undefined> {
  try {
    const content = await api.blob(`/v1/sessions/${id}/frames/0/preview`, { signal, attempts: 1 });
    return await decodedImage(content, '');
  } catch {
    return undefined;
  }
}
