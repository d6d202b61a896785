import { isAbort } from '../client/api.js';
import { takeOver } from '../client/handover.js';
import type { Frame, Session } from '../client/resources.js';
import { type UploadItem, UploadQueue } from '../client/upload-queue.js';
import { announce, fill, h, icon } from '../ui/dom.js';
import { byteSize, cameraLine, photographs } from '../ui/format.js';
import type { Context } from '../ui/view.js';
import { alertPlace, decodedImage } from '../ui/widgets.js';
import { photographPicker } from './picker.js';

/** Side of the small pictures, in pixels. */
const THUMB = 320;

/**
 * The photographs of a session: those that it has, and those on their way to it.
 *
 * @param onCount how many it has, and whether some are on their way
 */
export function photographsPart(
  context: Context,
  session: Session,
  onCount: (count: number, busy: boolean) => void,
): HTMLElement {
  const { api, signal } = context;
  const alerts = alertPlace();
  const grid = h('ul', { class: 'grid tiles' });
  const tiles = new Map<number, Tile>();
  let frames: readonly Frame[] = [];
  const summary = h('p', { class: 'help' });

  const counted = (): void => {
    const all = queue.items.reduce((sum, { file }) => sum + file.size, 0);
    const sent = queue.items.reduce((sum, item) => sum + item.sent, 0);
    const done = new Set([...frames.map(({ number }) => number), ...doneOf(queue.items)]);
    summary.textContent = queue.busy ? `${byteSize(sent)} of ${byteSize(all)} sent` : photographs(done.size);
    onCount(done.size, queue.busy);
    if (!queue.busy && all > 0) announce(`${photographs(done.size)} received`);
  };
  const queue = new UploadQueue(api, session.id, signal, (item) => {
    tiles.get(item.frame)?.showUpload(item);
    if (item.state === 'done') void list().catch(() => undefined);
    counted();
  });
  addEventListener('beforeunload', (event) => queue.busy && event.preventDefault(), { signal });

  const remove = async (number: number): Promise<void> => {
    const item = queue.items.find(({ frame }) => frame === number);
    try {
      if (!item || item.state === 'done') {
        await api.call(`/v1/sessions/${session.id}/frames/${number}`, { method: 'DELETE', signal });
      }
      if (item) queue.remove(item);
      frames = frames.filter((frame) => frame.number !== number);
      tiles.get(number)?.element.remove();
      tiles.delete(number);
      counted();
    } catch (error) {
      if (!isAbort(error)) alerts.show(error);
    }
  };
  const tile = (number: number): Tile => {
    const known = tiles.get(number);
    if (known) return known;
    const made = photographTile(number, () => void remove(number));
    tiles.set(number, made);
    const after = [...tiles.entries()].filter(([n]) => n > number).sort(([a], [b]) => a - b)[0];
    grid.insertBefore(made.element, after?.[1].element ?? null);
    return made;
  };
  const list = async (): Promise<void> => {
    frames = await api.json<Frame[]>(`/v1/sessions/${session.id}/frames`, { signal });
    for (const frame of frames) {
      const shown = tile(frame.number);
      shown.showFrame(frame);
      if (!shown.pictured) {
        shown.pictured = true;
        const path = `/v1/sessions/${session.id}/frames/${frame.number}/preview`;
        void api.blob(path, { signal }).then(
          (content) => shown.showPicture(content),
          () => undefined,
        );
      }
    }
    counted();
  };
  const take = (files: readonly File[]): void => {
    alerts.clear();
    for (const item of queue.add(
      files,
      frames.map(({ number }) => number),
    )) {
      const shown = tile(item.frame);
      shown.onRetry = () => queue.retry(item);
      shown.pictured = true;
      shown.showUpload(item);
      void smallPicture(item.file).then((content) => content && shown.showPicture(content));
    }
    counted();
  };
  const picker = photographPicker({ title: 'Add photographs', signal, onFiles: take });
  void list().then(
    () => take(takeOver(session.id)),
    (error: unknown) => !isAbort(error) && alerts.show(error),
  );
  return h(
    'section',
    { class: 'photographs', 'aria-label': 'Photographs' },
    alerts.element,
    grid,
    h('div', { class: 'row' }, picker.element, summary),
  );
}

const doneOf = (items: readonly UploadItem[]): number[] =>
  items.filter(({ state }) => state === 'done').map(({ frame }) => frame);

interface Tile {
  readonly element: HTMLElement;
  pictured: boolean;
  onRetry: () => void;
  showFrame(frame: Frame): void;
  showUpload(item: UploadItem): void;
  showPicture(content: Blob): void;
}

function photographTile(number: number, onRemove: () => void): Tile {
  const picture = h('div', { class: 'thumb' }, icon('photographs'));
  const bar = h('progress', { max: 1, value: 0, hidden: true });
  const name = h('span', { class: 'name' }, `Photograph ${number + 1}`);
  const details = h('span', { class: 'details' });
  const retry = h('button', { type: 'button', hidden: true, onclick: () => tile.onRetry() }, 'Send again');
  const remove = h(
    'button',
    {
      class: 'quiet icon-only',
      type: 'button',
      'aria-label': `Remove photograph ${number + 1}`,
      onclick: onRemove,
    },
    icon('cross'),
  );
  const element = h('li', { class: 'card' }, picture, bar, name, details, retry, remove);
  const named = (text: string): void => {
    name.textContent = text;
    name.title = text;
    bar.setAttribute('aria-label', text);
    remove.setAttribute('aria-label', `Remove ${text}`);
  };
  const tile: Tile = {
    element,
    pictured: false,
    onRetry: () => undefined,
    showFrame(frame) {
      named(frame.name);
      details.textContent = cameraLine(frame.camera) || byteSize(frame.bytes);
      element.dataset.state = 'done';
    },
    showUpload(item) {
      named(item.file.name);
      bar.value = item.file.size === 0 ? 0 : item.sent / item.file.size;
      bar.hidden = item.state === 'done' || item.state === 'failed';
      retry.hidden = item.state !== 'failed' || !item.mayRetry;
      element.dataset.state = item.state;
      details.textContent = uploadWords(item);
    },
    showPicture(content) {
      void decodedImage(content, '').then(
        (image) => fill(picture, image),
        () => undefined,
      );
    },
  };
  return tile;
}

function uploadWords({ state, sent, file, words }: UploadItem): string {
  switch (state) {
    case 'waiting':
      return `waits, ${byteSize(file.size)}`;
    case 'sending':
      return `${byteSize(sent)} of ${byteSize(file.size)}`;
    case 'judging':
      return 'being checked';
    case 'done':
      return byteSize(file.size);
    default:
      return words;
  }
}

let shrinking: Promise<unknown> = Promise.resolve();

/** A small picture of a file, one at a time: a telephone has little memory. Nothing where the browser cannot read it. */
function smallPicture(file: File): Promise<Blob | undefined> {
  const made = shrinking.then(async () => {
    try {
      const bitmap = await createImageBitmap(file, { resizeWidth: THUMB, resizeQuality: 'medium' });
      const canvas = h('canvas', { width: bitmap.width, height: bitmap.height });
      canvas.getContext('2d')!.drawImage(bitmap, 0, 0);
      bitmap.close();
      return await new Promise<Blob | undefined>((done) =>
        canvas.toBlob((content) => done(content ?? undefined), 'image/jpeg', 0.8),
      );
    } catch {
      return undefined;
    }
  });
  shrinking = made;
  return made;
}
