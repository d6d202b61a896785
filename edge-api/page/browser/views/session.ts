import { isAbort } from '../client/api.js';
import { isActive, type Session } from '../client/resources.js';
import { fill, h, icon } from '../ui/dom.js';
import { when } from '../ui/format.js';
import type { Context, View } from '../ui/view.js';
import { alertPlace } from '../ui/widgets.js';
import { deleteSession } from './delete.js';
import { startPart } from './new-session.js';
import { photographsPart } from './photographs.js';
import { resultPart } from './result.js';
import { trainingPart } from './training.js';

/** One session: its photographs, its training, or its result, whichever it is at. */
export function sessionView(id: string): View {
  return (context) => {
    const { api, signal, go, title } = context;
    title('Session');
    const alerts = alertPlace();
    const heading = h('h1', { tabindex: '-1', 'data-entry': true }, 'Session');
    const body = h('div', { class: 'body' });
    const remove = async (): Promise<void> => {
      try {
        if (await deleteSession(api, id)) go('/');
      } catch (error) {
        alerts.show(error);
      }
    };
    let leaving = new AbortController();
    const load = async (): Promise<void> => {
      leaving.abort();
      leaving = new AbortController();
      const inner = { ...context, signal: AbortSignal.any([signal, leaving.signal]) };
      try {
        const session = await api.json<Session>(`/v1/sessions/${id}`, { signal: inner.signal });
        const name = when(session.createdAt, new Date());
        heading.textContent = name;
        title(name);
        alerts.clear();
        fill(body, ...parts(inner, session, () => void load()));
      } catch (error) {
        if (!isAbort(error) && !signal.aborted) alerts.show(error);
      }
    };
    signal.addEventListener('abort', () => leaving.abort());
    void load();
    return h(
      'div',
      { class: 'session' },
      h(
        'div',
        { class: 'heading' },
        h('a', { class: 'button quiet icon-only', href: '#/', 'aria-label': 'All sessions' }, icon('back')),
        heading,
        h('button', { class: 'quiet', type: 'button', onclick: () => void remove() }, icon('bin'), 'Delete'),
      ),
      alerts.element,
      body,
    );
  };
}

/** @param reload looks at the session anew: it is at another place now */
function parts(context: Context, session: Session, reload: () => void): HTMLElement[] {
  if (isActive(session)) return [trainingPart(context, session, reload)];
  const start = startPart(context, session, reload);
  const pictures = photographsPart(context, session, start.ready);
  const both = h('div', { class: 'bench plain' }, pictures, start.element);
  if (session.state !== 'trained') return [start.notice, both];
  // The result first; what it was made of can be changed, and is trained anew then.
  const again = h('details', { class: 'again' }, h('summary', {}, 'Photographs and training'));
  again.append(both);
  return [resultPart(context, session), again];
}
