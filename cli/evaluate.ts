import type { Command } from 'commander';
import { type Evaluation, evaluateAgainst, readKnownTruth, readTruth } from '../bench/scores/evaluate.js';
import { recover } from '../bench/scores/recover.js';
import type { RadianceScores } from '../bench/scores/scores.js';
import { loadModel } from '../develop/model-file/model-file.js';
import { bakeScene } from '../develop/render/scene-renderer.js';
import { chooseEngine } from '../engine/choose.js';
import type { EngineName } from '../engine/engine.js';
import { deviceOption, engineOption, jsonOption, threadsOption } from './shared/options.js';
import { score, table } from './shared/table.js';

export function define(command: Command): void {
  command
    .argument('<model>', 'model.safetensors of "implicam develop"')
    .requiredOption('--truth <dir>', 'folder that "implicam sample" wrote')
    .addOption(engineOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(async (model: string, options) => {
      await runEvaluate(model, options);
    });
}

export interface EvaluateCommand {
  readonly truth: string;
  readonly engine?: EngineName;
  readonly device?: string;
  readonly threads?: number;
  readonly json?: boolean;
}

/** `implicam evaluate`: scores of a model, and of simpler methods, against the truth. */
export async function runEvaluate(path: string, command: EvaluateCommand): Promise<void> {
  const evaluation = await evaluateModel(path, command);
  process.stdout.write(
    command.json ? `${JSON.stringify(evaluationLine(evaluation))}\n` : scoreTable(evaluation),
  );
}

/** Scores a model file against the truth in a folder. */
export async function evaluateModel(path: string, command: EvaluateCommand): Promise<Evaluation> {
  const { referenceFrame } = await readTruth(command.truth);
  const model = await loadModel(path);
  const known = await readKnownTruth(command.truth);
  const baked = await bakeScene(model, await chooseEngine(command));
  return evaluateAgainst(recover(model, baked, referenceFrame), known);
}

const keys = ({ muPsnr, muPsnrPerChannel, channelGains, srgbPsnr, deltaE, ssim }: RadianceScores) => ({
  muPsnr,
  muPsnrPerChannel,
  channelGains,
  srgbPsnr,
  deltaE,
  ssim,
});

/** The machine-readable line; its keys are stable. */
function evaluationLine(evaluation: Evaluation) {
  const { depthCorrelation, baselines } = evaluation;
  return {
    ...keys(evaluation),
    depthCorrelation,
    baselines: { bestFrame: keys(baselines.bestFrame), classical: keys(baselines.classical) },
  };
}

/** Scores for a person. */
export function scoreTable(evaluation: Evaluation): string {
  const { baselines, depthCorrelation } = evaluation;
  const row = (name: string, s: RadianceScores, depth = '') => [
    name,
    score(s.muPsnr),
    score(s.muPsnrPerChannel),
    s.channelGains.map((gain) => score(gain, 3)).join(' '),
    score(s.srgbPsnr),
    `${score(s.deltaE.median)} / ${score(s.deltaE.p95)}`,
    score(s.ssim, 4),
    depth,
  ];
  return table(
    [
      'against the truth',
      'μ-law PSNR dB',
      'a gain a channel',
      'gains R G B',
      'sRGB PSNR dB',
      'ΔE median / 95 %',
      'SSIM',
      'depth correlation',
    ],
    [
      row('best single frame', baselines.bestFrame),
      row('classical (Debevec, sharpest focus)', baselines.classical),
      row('implicam', evaluation, score(depthCorrelation, 4)),
    ],
  );
}
