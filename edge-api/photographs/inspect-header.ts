import { identifyFormat, notAPhotograph } from '../../imaging/format.js';
import type { PhotographInspector } from './inspector.js';

/** As much as formats are told by. */
const HEAD_BYTES = 64 * 1024;

/**
 * Judges a photograph by its first bytes alone, where it cannot be decoded (a Workers runtime): what is no photograph
 * is refused, what is damaged is found by the preparation.
 */
export const headerInspector: PhotographInspector = {
  async inspect(photograph) {
    const head = await photograph.read(0, Math.min(HEAD_BYTES, photograph.bytes));
    const format = identifyFormat(photograph.name, head);
    if (format === 'exr' || format === 'hdr') throw notAPhotograph(photograph.name, format);
    return { format, size: null, camera: {}, preview: null, checked: false };
  },
};
