import type { ModelConfig } from './config.js';

/** Factor on every learning rate at a step (0-based): linear warm-up, then cosine decay to `floor`. */
export function rateFactor(train: ModelConfig['train'], step: number): number {
  const warm = train.warmup > 0 ? Math.min(1, (step + 1) / train.warmup) : 1;
  const t = train.steps > 0 ? Math.min(1, step / train.steps) : 0;
  return warm * (train.floor + (1 - train.floor) * 0.5 * (1 + Math.cos(Math.PI * t)));
}

/** Whether the sharpest view of a pixel already outweighs the others at this step. */
export function sharpnessActive(config: ModelConfig, step: number): boolean {
  return config.loss.sharpness > 0 && step >= config.loss.sharpnessStart * config.train.steps;
}
