import type { Scene, Stage } from '../scene.js';
import { hall } from './hall.js';
import { leaves } from './leaves.js';
import { night } from './night.js';
import { random } from './random.js';
import { study } from './study.js';

export const SCENE_NAMES = ['study', 'hall', 'night', 'leaves', 'random'] as const;
export type SceneName = (typeof SCENE_NAMES)[number];

/** The sample scenes, by name; `random` is another one for every seed. */
export const SCENES: Readonly<Record<SceneName, (stage: Stage) => Scene>> = {
  study,
  hall,
  night,
  leaves,
  random,
};
