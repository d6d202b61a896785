// Pulls the focus of a developed model from the nearest to the farthest, one JPEG each: the frames of a short film.
//
//   node examples/focus-sweep.mjs MODEL.safetensors FOLDER [HOW-MANY]
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openModel, render } from 'implicam';

const [path = 'model.safetensors', folder = 'sweep', howMany = '24'] = process.argv.slice(2);
const count = Number(howMany);
const model = await openModel(path);
if (!model.kinds.includes('refocus')) {
  throw new Error(`${path} was learned from photographs of one focus: it cannot be refocused`);
}
await mkdir(folder, { recursive: true });

// From the nearest to the farthest plane that was photographed, at the exposure in the middle of the photographs.
const focuses = model.camera.frames.map((frame) => frame.focus);
const [near, far] = [Math.max(...focuses), Math.min(...focuses)];
const exposures = model.camera.frames.map((frame) => frame.ev).sort((a, b) => a - b);
const ev = exposures[exposures.length >> 1] ?? 0;

for (let i = 0; i < count; i++) {
  const focus = near + (far - near) * (i / Math.max(1, count - 1));
  // Twice the aperture of the photographs: the blur is meant to be seen. The tone is that of the camera.
  const picture = await render(model, {
    ...{ kind: 'refocus', focus, aperture: 2 },
    ...{ tone: 'learned', ev, format: 'jpeg' },
  });
  const file = join(folder, `focus-${String(i + 1).padStart(3, '0')}.jpg`);
  await writeFile(file, picture);
  console.log(`${file}: focus ${focus.toFixed(2)}`);
}
model.close();
