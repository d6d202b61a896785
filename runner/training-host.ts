import type { AttachRequest } from '../proto/types/implicam/v1/AttachRequest.js';
import type { AttachResponse__Output } from '../proto/types/implicam/v1/AttachResponse.js';
import type { FailureCode } from '../proto/types/implicam/v1/FailureCode.js';
import type { Host__Output } from '../proto/types/implicam/v1/Host.js';
import { required } from './attachment.js';
import type { HostOrder, TrainingReports } from './commands.js';
import { HostedTraining } from './hosted-training.js';
import type { HostServices } from './services.js';

/** Commands that wait for a training's earlier ones, at most. */
const LONGEST_QUEUE = 64;

interface Entry {
  /** Largest epoch seen: commands of smaller ones are outdated. */
  epoch: number;
  hosted: HostedTraining | undefined;
  /** Commands are carried out one after the other. */
  queue: Promise<void>;
  waiting: number;
}

/** The trainings of one runner: carries out the coordinator's commands, of the newest epoch only. */
export class TrainingHost {
  private readonly services: HostServices;
  private readonly report: (report: AttachRequest) => void;
  private readonly entries = new Map<string, Entry>();

  readonly totals = { steps: 0, stepSeconds: 0, reductionSeconds: 0, deviceSteps: 0 };

  constructor(services: Omit<HostServices, 'totals'>, report: (report: AttachRequest) => void) {
    this.services = { ...services, totals: this.totals };
    this.report = report;
  }

  /** Shards hosted now, for the metrics. */
  get shardCount(): number {
    let sum = 0;
    for (const { hosted } of this.entries.values()) sum += hosted?.order.shards.count ?? 0;
    return sum;
  }

  get trainingCount(): number {
    return this.entries.size;
  }

  /** Carries out a command about a training. */
  command(message: AttachResponse__Output): void {
    const { host, advance, store, discard, park, release } = message;
    if (host) this.enqueue(host.training, host.epoch, (entry) => this.replace(entry, readHost(host)));
    else if (advance) {
      const { training, epoch, until, snapshots } = advance;
      this.enqueue(training, epoch, ({ hosted }) => hosted?.advance(until, snapshots));
    } else if (store) {
      // Not waited for: training goes on meanwhile.
      this.enqueue(store.training, store.epoch, ({ hosted }) => void hosted?.store(store.step));
    } else if (discard) {
      const { training, epoch, below } = discard;
      this.enqueue(training, epoch, () => this.services.snapshots.keep(training, (step) => step >= below));
    } else if (park) {
      this.enqueue(park.training, park.epoch, (entry) => this.stop(entry));
    } else if (release) {
      this.enqueue(release.training, release.epoch, async (entry) => {
        await this.stop(entry);
        this.services.snapshots.keep(release.training, () => false);
        if (entry.waiting === 1) this.entries.delete(release.training);
      });
    }
  }

  /** Stops all training; snapshots are kept. */
  async parkAll(): Promise<void> {
    await Promise.all([...this.entries.values()].map((entry) => this.stop(entry)));
  }

  private enqueue(training: string, epoch: number, job: (entry: Entry) => Promise<void> | void): void {
    let entry = this.entries.get(training);
    if (!entry) {
      entry = { epoch: 0, hosted: undefined, queue: Promise.resolve(), waiting: 0 };
      this.entries.set(training, entry);
    }
    if (epoch < entry.epoch || entry.waiting >= LONGEST_QUEUE) return;
    entry.epoch = epoch;
    entry.waiting++;
    const current = entry;
    entry.queue = entry.queue
      // A command is void if a newer epoch arrived while it waited.
      .then(() => (epoch === current.epoch ? job(current) : undefined))
      .catch((error) => this.reports(training, epoch).failed('engine', String(error)))
      .finally(() => {
        current.waiting--;
      });
  }

  private async replace(entry: Entry, order: HostOrder): Promise<void> {
    await this.stop(entry);
    entry.hosted = new HostedTraining(this.services, order, this.reports(order.training, order.epoch));
  }

  private async stop(entry: Entry): Promise<void> {
    const { hosted } = entry;
    entry.hosted = undefined;
    await hosted?.stop();
  }

  private reports(training: string, epoch: number): TrainingReports {
    const head = { training, epoch };
    return {
      hosted: () => this.report({ hosted: head }),
      progressed: (step, loss, psnr, stepsPerSecond) =>
        this.report({ progressed: { ...head, step, loss, psnr, stepsPerSecond } }),
      previewed: (step, picture) => this.report({ previewed: { ...head, step, ...picture } }),
      snapshotTaken: (step, milliseconds, computeMs) =>
        this.report({ snapshotTaken: { ...head, step, milliseconds, computeMs } }),
      stored: (step, pieces) => this.report({ stored: { ...head, step, pieces: [...pieces] } }),
      storeFailed: (step, message) => this.report({ storeFailed: { ...head, step, message } }),
      damaged: (step, message) => this.report({ damaged: { ...head, step, message } }),
      peerFailed: (peer, message) => this.report({ peerFailed: { ...head, peer, message } }),
      failed: (code, message) => {
        const name: FailureCode = `FAILURE_CODE_${code.toUpperCase() as Uppercase<typeof code>}`;
        this.report({ failed: { ...head, code: name, message } });
      },
    };
  }
}

function readHost(host: Host__Output): HostOrder {
  const { training, epoch, step, copy, buddy, buddyAddress, deviceExchange } = host;
  return {
    training,
    epoch,
    step,
    copy,
    devices: deviceExchange,
    shards: required(host.shards, 'shards'),
    placement: host.placement.map((m) => ({ ...m, shards: required(m.shards, 'shards') })),
    buddy: buddy ? { runner: buddy, address: buddyAddress } : undefined,
    sources: host.sources.map(({ shards, holder, address, pieces }) => ({
      shards: required(shards, 'shards'),
      holder: holder ? { runner: holder, address } : undefined,
      pieces,
    })),
  };
}
