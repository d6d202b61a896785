import { join } from 'node:path';
import type { SceneName } from '../bench/sample/scenes/index.js';
import { writeSample } from '../bench/sample/write.js';
import type { Quality } from '../runner/develop-options.js';
import type { EngineName } from '../runner/engines/engine.js';
import { OUTPUT_FILES } from '../runner/outputs.js';
import { developInto } from './develop.js';
import { evaluateModel, scoreTable } from './evaluate.js';

export interface DemoCommand {
  readonly out: string;
  readonly scene: SceneName;
  readonly quality: Quality;
  readonly size: readonly [number, number];
  readonly engine?: EngineName;
  readonly device?: string;
  readonly threads?: number;
  readonly seed: number;
}

/** `implicam demo`: the whole way on one page. Sample, develop, evaluate. */
export async function runDemo(command: DemoCommand): Promise<void> {
  const { out, scene, seed, size, ...rest } = command;
  const [sample, results] = [join(out, 'sample'), join(out, 'results')];
  const [width, height] = size;
  process.stderr.write(`photographing the generated scene "${scene}" into ${sample}\n`);
  const truth = await writeSample(sample, { scene, seed, width, height });
  // The files by name: the sample's folder also holds what the photographs must not know.
  const photos = truth.frames.map(({ file }) => join(sample, file));
  const report = await developInto(photos, { ...rest, seed, out: results, preset: 'auto' });
  const evaluation = await evaluateModel(join(results, OUTPUT_FILES.model), { ...rest, truth: sample });
  const total = Object.values(report.seconds).reduce((a, b) => a + b, 0);
  process.stdout.write(
    `\n${scoreTable(evaluation)}\n` +
      `${truth.frames.length} photographs of ${width} × ${height}, ${report.steps} steps on ${report.device}, ${total.toFixed(1)} s in all\n` +
      `photographs and truth: ${sample}\npictures: ${results} (begin with ${OUTPUT_FILES.picture})\n`,
  );
}
