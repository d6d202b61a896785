import { inspectPhotograph } from '../../imaging/inspect.js';
import { LEAST_SIDE } from '../../imaging/limits.js';
import { FairGate } from '../http/fair-gate.js';
import type { Limits } from '../limits.js';
import type { PhotographInspector } from './inspector.js';

/** Pixels along the longer side of a preview. */
const PREVIEW_SIDE = 1280;

/** Judges a photograph by decoding it to its end; a few at a time, so that memory is bounded. */
export function createDecodingInspector(limits: Limits): PhotographInspector {
  const gate = new FairGate({
    width: limits.inspections,
    waiting: 256,
    waitingPerTenant: 256,
    what: 'photographs',
  });
  const imagingLimits = {
    maxFileBytes: limits.frameBytes,
    maxPixels: limits.framePixels,
    minSide: LEAST_SIDE,
    maxDecodeSeconds: 30,
  };
  return {
    inspect: (photograph) =>
      gate.run('', AbortSignal.timeout(60_000), async () => {
        const { name } = photograph;
        const bytes = await photograph.read();
        const found = await inspectPhotograph({ name, bytes }, imagingLimits, PREVIEW_SIDE);
        const { format, width, height, camera, preview } = found;
        return { format, size: { width, height }, camera, preview, checked: true };
      }),
  };
}
