import { type Command, Option } from 'commander';
import { type CameraOptions, cameraSchema } from '../bench/samples/camera.js';
import type { Motion } from '../bench/samples/motion.js';
import { SCENE_NAMES, type SceneName } from '../bench/samples/scenes/index.js';
import { type ExifHonesty, writeSample } from '../bench/samples/write.js';
import { jsonOption, numbersBetween, schemaOption, seedOption, wholeNumber } from './shared/options.js';

const { shape } = cameraSchema;

export function define(command: Command): void {
  command
    .argument('<dir>', 'folder for the photographs and their truth')
    .addOption(new Option('--scene <name>', 'what is photographed').choices(SCENE_NAMES).default('study'))
    .addOption(seedOption())
    .addOption(
      new Option('--size <WxH>', 'pixels of a photograph')
        .argParser(numbersBetween('x', ['W', 'H']))
        .default([450, 300], '450x300'),
    )
    .addOption(new Option('--focus <n>', 'focus planes').argParser(wholeNumber(1, 32)).default(3))
    .addOption(
      new Option('--exposures <n>', 'exposures a focus plane').argParser(wholeNumber(1, 16)).default(3),
    )
    .addOption(
      new Option('--motion <name>', 'what moves between the photographs')
        .choices(['none', 'hand', 'object'])
        .default('none'),
    )
    .addOption(
      new Option('--exif <name>', 'what the files say of their settings')
        .choices(['exact', 'rough', 'none'])
        .default('exact'),
    )
    .addOption(schemaOption('--jpeg <quality>', shape.jpeg))
    .addOption(schemaOption('--subsampling <ratio>', shape.subsampling))
    .addOption(schemaOption('--response <name>', shape.response))
    .addOption(schemaOption('--iso <n>', shape.iso))
    .addOption(schemaOption('--vignetting <stops>', shape.vignetting))
    .addOption(schemaOption('--wb-drift <stops>', shape.wbDrift))
    .addOption(schemaOption('--breathing <percent>', shape.breathing))
    .addOption(schemaOption('--flicker <stops>', shape.flicker))
    .addOption(schemaOption('--bits <n>', shape.bits))
    .addOption(schemaOption('--white <level>', shape.white))
    .addOption(schemaOption('--retakes <n>', shape.retakes))
    .addOption(new Option('--mover', shape.mover.description))
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .action(async (dir: string, options) => {
      await runSample(dir, options);
    });
}

const AFTER = `
The photographs are rendered by physics, not by the model that "develop" fits: layers that cover each other, thin-lens
defocus in linear light, sensor noise, clipping, a camera response that no file tells. "--scene random" is another
scene for every seed. Beside them lies the truth
(truth.exr radiance, truth-depth.exr, truth.json camera) that "implicam evaluate" scores against.`;

export interface SampleCommand extends CameraOptions {
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
