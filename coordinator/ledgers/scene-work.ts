import type { Claim } from '../../database/claims.js';
import { ImplicamError } from '../../model/errors.js';
import type { FinishResponse__Output } from '../../proto/types/implicam/v1/FinishResponse.js';
import type { Hello__Output } from '../../proto/types/implicam/v1/Hello.js';
import type { PrepareResponse__Output } from '../../proto/types/implicam/v1/PrepareResponse.js';
import type { StoredSnapshot } from '../scheduler/types.js';
import { isUnreachable, type RunnerCalls } from '../wire/runner-calls.js';

/** The work around a training that one runner does: preparing its scene, and finishing it. A runner that is lost is replaced. */

/** How long to wait for a runner before asking again, in milliseconds. */
const RETRY = 2000;
/** Runners that may be lost over the same piece of work before it counts as its fault. */
const MOST_LOSSES = 5;

export interface SceneTask {
  readonly calls: RunnerCalls;
  /** Key of the training: a session may be trained more than once. */
  readonly training: string;
  readonly claim: Claim;
  readonly signal: AbortSignal;
  /** Nobody can do it now. */
  readonly onWaiting: (reason: string) => void;
}

export function prepareScene(
  task: SceneTask,
  onEvent: (event: PrepareResponse__Output) => Promise<void>,
): Promise<void> {
  const { claim, training, calls, signal } = task;
  const request = {
    training,
    frames: framesOf(claim),
    preset: claim.preset,
    quality: claim.quality,
    seed: claim.seed,
    gps: claim.gps,
    ...(claim.steps === null ? {} : { steps: claim.steps }),
  };
  return onSomeRunner(task, (runner) => calls.prepare(runner, request, signal, onEvent));
}

export function finishScene(task: SceneTask, snapshot: StoredSnapshot): Promise<FinishResponse__Output> {
  const { claim, training, calls, signal } = task;
  const request = {
    training,
    version: claim.modelVersion,
    frames: framesOf(claim),
    step: snapshot.step,
    pieces: [...snapshot.pieces],
  };
  return onSomeRunner(task, (runner) => calls.finish(runner, request, signal));
}

function framesOf(claim: Claim) {
  return claim.frames.map(({ objectKey: key, name, camera }) => ({
    key,
    name,
    camera: JSON.stringify(camera),
  }));
}

async function onSomeRunner<T>(task: SceneTask, work: (runner: Hello__Output) => Promise<T>): Promise<T> {
  for (let losses = 0; ; ) {
    if (task.signal.aborted) throw new ImplicamError('cancelled', 'the work was called off');
    try {
      return await work(task.calls.leastBusy());
    } catch (error) {
      if (task.signal.aborted) throw error;
      const { code, message } = error as ImplicamError;
      if (code === 'no-runners' || code === 'busy') task.onWaiting(message);
      else if (isUnreachable(error) || code === 'store-failed') {
        if (++losses >= MOST_LOSSES) throw error;
      } else throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY));
  }
}
