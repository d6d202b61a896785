// Develops the photographs of a folder into a folder of results, as `implicam develop` does.
//
//   node examples/develop-folder.mjs PHOTOGRAPHS RESULTS [instant|draft|standard|best]
//
// Ctrl-C keeps what was learned so far; the same command goes on from there.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { develop, ImplicamError } from 'implicam';

const [photographs, results, quality = 'standard'] = process.argv.slice(2);
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

try {
  const model = await develop(photographs ?? '', {
    results: results ?? 'results',
    quality: /** @type {import('implicam').Quality} */ (quality),
    resume: existsSync(join(results ?? 'results', 'snapshot.safetensors')),
    signal: stop.signal,
    onNote: (note) => console.log(note),
    onProgress: ({ step, steps, psnr, secondsLeft }) =>
      console.log(`step ${step} of ${steps}, ${psnr.toFixed(1)} dB, ${secondsLeft.toFixed(0)} s left`),
  });
  // What was learned of the camera: exposures in stops, focus in focus units (near is positive).
  for (const { file, ev, focus } of model.camera.frames) {
    console.log(`${file}: ${ev.toFixed(2)} stops, focus ${focus.toFixed(2)}`);
  }
  console.log(`${model.width} × ${model.height} pixels, ${model.steps} steps: look into ${results}`);
} catch (error) {
  // Everything that can go wrong with files and options says what to do about it; the rest is a fault of the program.
  if (!(error instanceof ImplicamError)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
