import type { Motion } from '../bench/sample/motion.js';
import type { SceneName } from '../bench/sample/scenes/index.js';
import { type ExifHonesty, writeSample } from '../bench/sample/write.js';

export interface SampleCommand {
  readonly scene: SceneName;
  readonly seed: number;
  readonly size: readonly [number, number];
  readonly focus: number;
  readonly exposures: number;
  readonly motion: Motion;
  readonly exif: ExifHonesty;
  readonly json?: boolean;
}

/** `implicam sample`: a capture with a known truth. */
export async function runSample(folder: string, command: SampleCommand): Promise<void> {
  const { size, json, ...options } = command;
  const [width, height] = size;
  const truth = await writeSample(folder, { ...options, width, height });
  const { scene, seed, frames } = truth;
  if (json) {
    const line = { out: folder, scene, seed, width, height, frames: frames.map((f) => f.file) };
    process.stdout.write(`${JSON.stringify(line)}\n`);
    return;
  }
  process.stdout.write(
    `${frames.length} photographs of "${scene}", ${width} × ${height}, and their truth are in ${folder}\n` +
      `next: implicam develop ${folder} --out ${folder}-developed\n` +
      `then: implicam evaluate ${folder}-developed/model.safetensors --truth ${folder}\n`,
  );
}
