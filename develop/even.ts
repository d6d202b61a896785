import type { Frame, Picture } from '../model/picture.js';
import type { Light } from './light.js';
import type { Registered } from './register.js';
import { type BrightnessField, evenBrightness, forField } from './start/fusion/even-brightness.js';
import type { Grouping } from './start/grouping/frames.js';
import type { StartKernels } from './start/kernels.js';
import { type CameraResponse, inverseTable, RESPONSE_MIN, responseValue } from './start/response/response.js';

/**
 * Views and frames of a focus stack brought to the brightness and colour of the middle one, where they drift: what is
 * blended would show patches, and training would take the drift for blur.
 */
export function evenStack(
  light: Light,
  registered: Registered,
  grouping: Grouping,
  note: (sentence: string) => void,
  kernels: StartKernels,
): { readonly light: Light; readonly registered: Registered } {
  const order = grouping.focus.map((_, v) => v).sort((a, b) => grouping.focus[a] - grouping.focus[b]);
  const darkest = grouping.focus.map((_, v) =>
    Math.min(...light.ev.filter((_, i) => grouping.frames[i].focus === v)),
  );
  const white = darkest.map((ev) => -Math.LN2 * ev);
  const evened = evenBrightness(
    order.map((v) => light.views[v]),
    order.map((v) => white[v]),
    kernels,
  );
  if (!evened) return { light, registered };
  const fields = grouping.focus.map((_, v) => evened.fields[order.indexOf(v)]);
  note(
    `brightness or colour drifts from one focus to the next, by up to ${(evened.largest / Math.LN2).toFixed(2)} stops: evened ` +
      `${fields[0].degree === 0 ? 'by a gain a channel' : 'by a smooth field a channel'}`,
  );
  return {
    light: { ...light, views: light.views.map((view, v) => evenView(view, fields[v])) },
    registered: {
      ...registered,
      frames: registered.frames.map((frame, i) =>
        evenFrame(frame, fields[grouping.frames[i].focus], light.response),
      ),
    },
  };
}

function evenView(view: Picture, field: BrightnessField): Picture {
  const data = view.data.slice();
  forField(field, view.width, view.height, (p, gains) => {
    for (let c = 0; c < 3; c++) data[3 * p + c] += gains[c];
  });
  return { ...view, data };
}

/** Steps of the response's table, from −9 to 0 in ln exposure: a fortieth of a code at most. */
const STEPS = 16384;

/** The same in codes, through the response; what is white or black stays so. */
function evenFrame(frame: Frame, field: BrightnessField, response: CameraResponse): Frame {
  if (field.coefficients.flat().every((k) => k === 0)) return frame;
  const { data } = frame;
  const most = data instanceof Uint8Array ? 255 : 65535;
  const unit = STEPS / -RESPONSE_MIN;
  const channels = [0, 1, 2];
  const inverse = channels.map((c) =>
    inverseTable(response, c, most + 1).map((ln) => (ln - RESPONSE_MIN) * unit),
  );
  const forward = channels.map((c) =>
    Float64Array.from(
      { length: STEPS + 1 },
      (_, i) => most * responseValue(response, c, RESPONSE_MIN + i / unit),
    ),
  );
  const out = data.slice();
  forField(field, frame.width, frame.height, (p, gains) => {
    for (let c = 0, i = 3 * p; c < 3; c++, i++) {
      const code = data[i];
      if (code === 0 || code === most) continue;
      const at = Math.round(inverse[c][code] + gains[c] * unit);
      out[i] = Math.max(1, Math.round(forward[c][at < 0 ? 0 : at > STEPS ? STEPS : at]));
    }
  });
  return { ...frame, data: out };
}
