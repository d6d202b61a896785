import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { readManifest } from '../../coordinator/ledgers/folder.js';
import type { DevelopOptions, TrainFunction } from '../../develop/options.js';
import { requireReducing } from '../../engine/engine.js';
import { cudaStatus } from '../../engine/native/cuda-engine.js';
import { ImplicamError } from '../../model/errors.js';
import { createPlan } from '../../model/plan.js';
import { CHANNEL_OPTIONS, channelCredentials } from '../../proto/channel.js';
import { wire } from '../../proto/load.js';
import type { TrainingServiceClient } from '../../proto/types/implicam/v1/TrainingService.js';
import type { TrainingStatus__Output } from '../../proto/types/implicam/v1/TrainingStatus.js';
import { writeScene } from '../../runner/scenes/bundle.js';
import { readStoredSnapshot } from '../../runner/snapshots/stored.js';
import { openStore } from '../../store/open.js';
import { Child, lineOf } from './children.js';
import { storeLocation } from './folders.js';

export interface ClusterOptions {
  readonly runners: number;
  /** Folder beside the results, for what the processes share. */
  readonly folder: string;
  /** Threads of all runners together. @default all processors */
  readonly threads?: number;
  readonly onLine: (line: string) => void;
}

const TRAINING = 'develop';
const START_DEADLINE = 30_000;
const CALL_DEADLINE = 10_000;

/** A trainer that starts a coordinator and local runners as processes of their own, and has them train. */
export function trainOnCluster(options: ClusterOptions): TrainFunction {
  return async ({ model, frames, engine, options: develop }) => {
    requireReducing(engine);
    const folder = await mkdtemp(join(options.folder, '.cluster-'));
    const children: Child[] = [];
    try {
      const store = openStore(storeLocation({ data: folder }));
      const { from, pieces } = await writeScene(store, TRAINING, model, frames);
      const address = await startProcesses(options, engine.name, develop.device, folder, children);
      const began = performance.now();
      const client = new (wire().TrainingService)(address, channelCredentials({}), CHANNEL_OPTIONS);
      try {
        await Promise.race([follow(client, develop, options.onLine), ...children.map((c) => c.failed)]);
        const plan = createPlan(model.capture, model.config, model.seed);
        const stored = (await readManifest(store, TRAINING))?.snapshots[0] ?? { step: from, pieces };
        const { state, score } = await readStoredSnapshot(store, TRAINING, plan, stored);
        const train = (performance.now() - began) / 1000;
        return { state, progress: { step: state.step, ...score }, seconds: { train, bake: 0 } };
      } finally {
        client.close();
      }
    } finally {
      await Promise.all(children.map((child) => child.stop()));
      await rm(folder, { recursive: true, force: true });
    }
  };
}

/** Starts the processes; answers with the coordinator's address. */
async function startProcesses(
  { runners, threads, onLine }: ClusterOptions,
  engine: string,
  device: string | undefined,
  folder: string,
  children: Child[],
): Promise<string> {
  let address = '127.0.0.1:0';
  const coordinatorArgs = () => ['coordinator', '--listen', address, '--data', folder, '--spread'];
  let joined = 0;
  let allJoined: () => void = () => undefined;
  const complete = new Promise<void>((resolve) => {
    allJoined = resolve;
  });
  const onCoordinatorLine = (line: string) => {
    if (/^runner \S+ joined/.test(line) && ++joined === runners) allJoined();
    onLine(line);
  };
  const { child, match } = await lineOf(
    { args: coordinatorArgs(), argsAgain: coordinatorArgs, onLine: onCoordinatorLine },
    /^coordinator on (\S+)$/,
    START_DEADLINE,
  );
  children.push(child);
  address = match[1];
  const each = Math.max(1, Math.floor((threads ?? availableParallelism()) / runners));
  for (let i = 0; i < runners; i++) {
    const place = engine === 'cuda' ? devicePlace(i, runners, device) : memoryShare(totalmem(), runners);
    const work = ['--threads', `${each}`, '--engine', engine, ...place];
    children.push(
      new Child({ args: ['runner', '--coordinator', address, '--data', folder, ...work], onLine }),
    );
  }
  await withDeadline(complete, children);
  return address;
}

const memoryShare = (bytes: number, among: number) => [
  '--memory',
  ((2 / 3) * (bytes / 2 ** 30 / among)).toFixed(3),
];

/** The named device for all, or each the next of those that there are; runners on one device share its memory. */
function devicePlace(i: number, runners: number, wanted = process.env.IMPLICAM_DEVICE): string[] {
  const { devices } = cudaStatus();
  const named = wanted !== undefined && wanted !== '';
  const device = named ? wanted : `${i % devices.length}`;
  const free = Math.min(...devices.map((d) => d.free));
  return ['--device', device, ...memoryShare(free, named ? runners : Math.ceil(runners / devices.length))];
}

/** Those that are late are waited for; those that cannot start end the run. */
async function withDeadline(complete: Promise<void>, children: readonly Child[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, START_DEADLINE);
  });
  await Promise.race([complete, late, ...children.map((c) => c.failed)]);
  clearTimeout(timer);
}

/** Submits the training and follows it to its end; the coordinator may die and come back meanwhile. */
async function follow(
  client: TrainingServiceClient,
  options: DevelopOptions,
  onLine: (line: string) => void,
): Promise<void> {
  await submit(client);
  const cancel = () => {
    client.cancelTraining({ training: TRAINING }, { deadline: Date.now() + CALL_DEADLINE }, () => undefined);
  };
  if (options.signal?.aborted) cancel();
  options.signal?.addEventListener('abort', cancel);
  try {
    for (let silent = 0; silent < 60; silent++) {
      let last: TrainingStatus__Output | undefined;
      try {
        for await (const { status } of client.watchTraining({
          training: TRAINING,
        }) as AsyncIterable<{ status: TrainingStatus__Output | null }>) {
          if (!status) continue;
          silent = 0;
          if (status.phase === 'TRAINING_PHASE_WAITING' && status.reason !== last?.reason)
            onLine(status.reason);
          last = status;
          reportProgress(status, options);
        }
      } catch (error) {
        onLine(`the coordinator does not answer: ${error instanceof Error ? error.message : error}`);
      }
      if (last?.phase === 'TRAINING_PHASE_FINISHED' || last?.phase === 'TRAINING_PHASE_CANCELLED') return;
      if (last?.phase === 'TRAINING_PHASE_FAILED') throw new ImplicamError('training-failed', last.reason);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    throw new ImplicamError('coordinator-lost', 'the coordinator did not come back within 30 s');
  } finally {
    options.signal?.removeEventListener('abort', cancel);
  }
}

function submit(client: TrainingServiceClient): Promise<void> {
  return new Promise((resolve, reject) => {
    client.submitTraining({ training: TRAINING }, { deadline: Date.now() + CALL_DEADLINE }, (error) =>
      error ? reject(new ImplicamError('coordinator-lost', error.message, { cause: error })) : resolve(),
    );
  });
}

function reportProgress(status: TrainingStatus__Output, options: DevelopOptions): void {
  const { step, steps, loss, psnr, rate } = status;
  // After the first steps no rate is known yet.
  if (status.phase !== 'TRAINING_PHASE_TRAINING' || rate === 0) return;
  const secondsLeft = (steps - step) / rate;
  options.onProgress?.({ step, steps, loss, psnr, stepsPerSecond: rate, secondsLeft });
}
