import type { Scene, Stage } from '../scene.js';
import { hall } from './hall.js';
import { leaves } from './leaves.js';
import { night } from './night.js';
import { study } from './study.js';

/** The sample scenes, by name. */
export const SCENES: Readonly<Record<string, (stage: Stage) => Scene>> = { study, hall, night, leaves };
