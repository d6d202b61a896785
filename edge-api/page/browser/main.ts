import { Api, type Problem } from './client/api.js';
import { fill, h, icon } from './ui/dom.js';
import type { View } from './ui/view.js';
import { homeView } from './views/home.js';
import { keyView } from './views/key.js';
import { sessionView } from './views/session.js';

/** The page: which view is shown, and with which key. */

const STORED_KEY = 'implicam.key';

let leaving = new AbortController();

/** A key in the address (#key=…) is kept and taken out of the address, the history and what may be shared of it. */
function takeKeyFromAddress(): void {
  const key = /^#key=([^&]+)/.exec(location.hash)?.[1];
  if (key === undefined) return;
  localStorage.setItem(STORED_KEY, decodeURIComponent(key).trim());
  history.replaceState(null, '', `${location.pathname}#/`);
}

function show(words = ''): void {
  takeKeyFromAddress();
  leaving.abort();
  leaving = new AbortController();
  const key = localStorage.getItem(STORED_KEY);
  const { signal } = leaving;
  const refused = (problem: Problem): void => {
    if (signal.aborted) return;
    localStorage.removeItem(STORED_KEY);
    show(problem.message);
  };
  const view = key === null ? keyView(words, enter) : viewOf(location.hash);
  const element = view({
    api: new Api(key ?? '', refused),
    signal,
    go(address) {
      if (location.hash === `#${address}`) show();
      else location.hash = address;
    },
    title(text) {
      document.title = text ? `${text} · implicam` : 'implicam';
    },
  });
  fill(document.getElementById('nav')!, key !== null && forgetButton());
  fill(document.getElementById('main')!, element);
  scrollTo(0, 0);
  element.querySelector<HTMLElement>('[data-entry]')?.focus({ preventScroll: true });
}

function viewOf(hash: string): View {
  const session = /^#\/sessions\/([\w-]+)$/.exec(hash)?.[1];
  return session === undefined ? homeView : sessionView(session);
}

function enter(key: string): void {
  localStorage.setItem(STORED_KEY, key);
  show();
}

function forgetButton(): HTMLElement {
  const forget = (): void => {
    localStorage.removeItem(STORED_KEY);
    show();
  };
  return h('button', { class: 'quiet', type: 'button', onclick: forget }, icon('key'), 'Change key');
}

addEventListener('hashchange', () => show());
// A key entered or forgotten in another window.
addEventListener('storage', ({ key }) => {
  if (key === STORED_KEY) show();
});
show();
