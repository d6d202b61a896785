import { randomBytes } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { Registry } from 'prom-client';
import { type Engine, requireReducing } from '../engine/engine.js';
import {
  CHANNEL_OPTIONS,
  type ChannelSecurity,
  formatAddress,
  listen,
  parseAddress,
} from '../proto/channel.js';
import { wire } from '../proto/load.js';
import type { Hello } from '../proto/types/implicam/v1/Hello.js';
import type { PeerServiceHandlers } from '../proto/types/implicam/v1/PeerService.js';
import type { RenderServiceHandlers } from '../proto/types/implicam/v1/RenderService.js';
import type { SceneServiceHandlers } from '../proto/types/implicam/v1/SceneService.js';
import { openStore } from '../store/open.js';
import { Attachment } from './attachment.js';
import { PeerLinks } from './exchange/peer-links.js';
import { registerMetrics } from './metrics.js';
import { Previewer } from './previews/previewer.js';
import { serveBakePreview } from './previews/transfer.js';
import { RenderQueue } from './renders/queue.js';
import { SceneQueue } from './scenes/queue.js';
import { HeldSnapshots } from './snapshots/held.js';
import { serveFetch, serveKeep } from './snapshots/transfer.js';
import { measureSpeed } from './speed.js';
import { TrainingHost } from './training-host.js';

export interface RunnerOptions {
  /** host:port of the coordinator. */
  readonly coordinator: string;
  /** host:port for peers. @default 127.0.0.1:0, any free port */
  readonly listen?: string;
  /** host:port by which others reach this runner. @default where it listens */
  readonly advertise?: string;
  readonly engine: Engine;
  /** Bakes and renders, where people wait. @default `engine` */
  readonly renderEngine?: Engine;
  /** Location of the object store, as `openStore` takes it. */
  readonly store: string;
  /** Threads for what is done beside training. @default all processors */
  readonly threads?: number;
  /** Memory for trainings; a quarter as much again may be taken by renders. */
  readonly memoryBytes: number;
  readonly version: string;
  /** Reference steps a second, where they are known. @default measured at start */
  readonly stepRate?: number;
  readonly security?: ChannelSecurity;
  /** One line of what happens. */
  readonly log?: (line: string) => void;
}

export interface Runner {
  readonly id: string;
  readonly address: string;
  /** Resolves when the runner has ended: by `stop`, or released by the coordinator. */
  readonly ended: Promise<void>;
  register(registry: Registry): void;
  /** Asks for its shards to be moved, then ends; at the latest after `deadlineMs`. */
  drain(deadlineMs: number): Promise<void>;
  /** Ends at once. */
  stop(): Promise<void>;
}

/** How long trainings may take to stop before the runner ends without them, in milliseconds. */
const PARK_DEADLINE = 5000;

const silent = () => undefined;

/**
 * Starts a runner: listens for peers, measures its speed, and stays attached to its coordinator.
 *
 * @throws ImplicamError `engine-unusable` for an engine that cannot work for a coordinator, and what `listen` refuses
 */
export async function startRunner(options: RunnerOptions): Promise<Runner> {
  const { engine, log = silent } = options;
  requireReducing(engine);
  const id = newId();
  const services = createServices(id, options);
  if (engine.link && 'missing' in engine.link) {
    log(`gradients go through the processor, not from device to device: no NCCL: ${engine.link.missing}`);
  }
  const address = await serve(services, options);
  const stepRate = options.stepRate ?? (await measureSpeed(engine));
  log(`runner ${id} on ${address}: ${engine.device}, ${stepRate.toFixed(0)} reference steps/s`);
  return new AttachedRunner(options, services, id, address, stepRate);
}

/** Host name and something random: new for each process. */
function newId(): string {
  const host = hostname().replace(/[^\w-]/g, '-');
  return `${host.slice(0, 40)}-${randomBytes(4).toString('hex')}`;
}

type Services = ReturnType<typeof createServices>;

/** What a runner does beside hosting, and the server that all of it answers on. */
function createServices(id: string, options: RunnerOptions) {
  const { engine, version, security = {}, log = silent } = options;
  const store = openStore(options.store);
  const memoryBytes = options.memoryBytes / 4;
  const threads = options.threads ?? availableParallelism();
  const snapshots = new HeldSnapshots();
  const links = new PeerLinks(id, security);
  return {
    store,
    snapshots,
    links,
    renders: new RenderQueue(options.renderEngine ?? engine, store, memoryBytes),
    previewer: new Previewer({ engine, store, snapshots, links, memoryBytes, log }),
    scenes: new SceneQueue({ engine, threads, store: options.store, version }),
    server: new Server(CHANNEL_OPTIONS),
    health: new HealthImplementation({ '': 'NOT_SERVING' }),
  };
}

/** Listens for peers and the coordinator; answers with the address by which they reach this runner. */
async function serve(services: Services, options: RunnerOptions): Promise<string> {
  const { server, health, snapshots, links, renders, scenes, previewer } = services;
  const peers: PeerServiceHandlers = {
    Exchange: (call) => links.accept(call),
    KeepSnapshot: (call, answer) => serveKeep(snapshots, call, answer),
    FetchSnapshot: (call) => serveFetch(snapshots, call),
    BakePreview: (call) => serveBakePreview(previewer, call),
  };
  const rendering: RenderServiceHandlers = { Render: (call) => renders.serve(call) };
  const preparation: SceneServiceHandlers = {
    Prepare: (call) => scenes.prepare(call),
    Finish: (call, answer) => scenes.finish(call, answer),
  };
  server.addService(wire().PeerService.service, peers);
  server.addService(wire().RenderService.service, rendering);
  server.addService(wire().SceneService.service, preparation);
  health.addToServer(server);
  const wanted = options.listen ?? '127.0.0.1:0';
  const port = await listen(server, wanted, options.security ?? {});
  return options.advertise ?? formatAddress({ host: parseAddress(wanted).host, port });
}

/** A runner that works for its coordinator until it is released or stopped. */
class AttachedRunner implements Runner {
  readonly id: string;
  readonly address: string;
  readonly ended: Promise<void>;
  private readonly options: RunnerOptions;
  private readonly services: Services;
  private readonly stepRate: number;
  private readonly host: TrainingHost;
  private readonly attachment: Attachment;
  private readonly log: (line: string) => void;
  private finish: () => void = silent;
  private draining = false;
  private stopping: Promise<void> | undefined;

  constructor(options: RunnerOptions, services: Services, id: string, address: string, stepRate: number) {
    this.options = options;
    this.services = services;
    this.id = id;
    this.address = address;
    this.stepRate = stepRate;
    this.log = options.log ?? silent;
    this.ended = new Promise<void>((resolve) => {
      this.finish = resolve;
    });
    this.host = new TrainingHost({ ...services, engine: options.engine, log: this.log }, (report) =>
      this.attachment.report(report),
    );
    this.attachment = this.attach();
  }

  register(registry: Registry): void {
    registerMetrics(registry, { ...this.services, host: this.host });
  }

  async drain(deadlineMs: number): Promise<void> {
    this.draining = true;
    if (!this.attachment.isAttached) return this.stop();
    this.log('draining: handing over the shards');
    this.attachment.report({ draining: {} });
    const timer = setTimeout(() => {
      this.log('the shards were not taken over in time: exiting anyway');
      void this.stop();
    }, deadlineMs);
    await this.ended;
    clearTimeout(timer);
  }

  stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  private async end(): Promise<void> {
    this.attachment.close();
    await Promise.race([this.host.parkAll(), new Promise((r) => setTimeout(r, PARK_DEADLINE).unref())]);
    this.services.links.close();
    this.services.server.forceShutdown();
    this.finish();
  }

  private attach(): Attachment {
    const { coordinator, security = {} } = this.options;
    const { health } = this.services;
    return new Attachment({
      coordinator,
      security,
      hello: () => this.hello(),
      onCommand: (command) => {
        if (command.released) void this.stop();
        else this.host.command(command);
      },
      onAttached: () => {
        health.setStatus('', 'SERVING');
        this.log(`attached to ${coordinator}`);
      },
      onLost: (why) => {
        health.setStatus('', 'NOT_SERVING');
        this.log(`not attached to ${coordinator}: ${why}; trying again`);
        // The next coordinator sends new commands under a new epoch.
        this.host.parkAll().catch((error) => this.log(String(error)));
      },
    });
  }

  private hello(): Hello {
    const { engine, version, memoryBytes } = this.options;
    const { link } = engine;
    return {
      runner: this.id,
      address: this.address,
      version,
      engine: engine.kind,
      device: engine.device,
      memoryBytes,
      stepRate: this.stepRate,
      draining: this.draining,
      ...(link && 'node' in link
        ? { deviceLink: { node: link.node, device: link.device, version: link.version } }
        : {}),
      snapshots: this.services.snapshots.list(),
    };
  }
}
