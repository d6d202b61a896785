import { isAbort, Problem } from '../client/api.js';
import type { Frame, Session } from '../client/resources.js';
import { h } from '../ui/dom.js';
import { cameraLine } from '../ui/format.js';
import type { Context } from '../ui/view.js';
import { decodedImage } from '../ui/widgets.js';

export interface ComparePart {
  readonly element: HTMLElement;
  /** The photographs of the session, in order; none where they cannot be had. */
  readonly frames: Promise<readonly Frame[]>;
}

/** Chooses a photograph that is laid over the left part of the result. */
export function comparePart(
  { api, signal }: Context,
  session: Session,
  showSource: (image: HTMLImageElement | undefined) => void,
  onError: (error: unknown) => void,
): ComparePart {
  const path = `/v1/sessions/${session.id}/frames`;
  const select = h('select', { id: 'compare' }, h('option', { value: '' }, 'Nothing'));
  let stop = new AbortController();
  const show = async (): Promise<void> => {
    stop.abort();
    stop = new AbortController();
    if (select.value === '') return showSource(undefined);
    const { signal: replaced } = stop;
    const both = AbortSignal.any([signal, replaced]);
    try {
      const image = await decodedImage(
        await sourceOf(`${path}/${select.value}`, both),
        'A source photograph',
      );
      if (!replaced.aborted) showSource(image);
    } catch (error) {
      if (!isAbort(error) && !replaced.aborted) onError(error);
    }
  };
  /** The small JPEG; where there is none, the file itself. */
  const sourceOf = async (frame: string, both: AbortSignal): Promise<Blob> => {
    try {
      return await api.blob(`${frame}/preview`, { signal: both });
    } catch (error) {
      if (!(error instanceof Problem && error.code === 'preview-missing')) throw error;
      return api.blob(`${frame}/content`, { signal: both });
    }
  };
  select.addEventListener('change', () => void show());
  const frames = api.json<Frame[]>(path, { signal }).catch((): Frame[] => []);
  void frames.then((list) => {
    for (const { number, name, camera } of list) {
      const settings = cameraLine(camera);
      select.append(h('option', { value: number }, settings === '' ? name : `${name} (${settings})`));
    }
  });
  return {
    element: h('div', { class: 'field inline' }, h('label', { for: 'compare' }, 'Compare with'), select),
    frames,
  };
}
