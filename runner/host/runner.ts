import { randomBytes } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { Gauge, type Registry } from 'prom-client';
import { CHANNEL_OPTIONS, type ChannelSecurity, listen, parseAddress } from '../../proto/channel.js';
import { wire } from '../../proto/load.js';
import type { PeerServiceHandlers } from '../../proto/types/implicam/v1/PeerService.js';
import type { RenderServiceHandlers } from '../../proto/types/implicam/v1/RenderService.js';
import type { SceneServiceHandlers } from '../../proto/types/implicam/v1/SceneService.js';
import { openStore } from '../../store/open.js';
import type { Engine } from '../engines/engine.js';
import { Attachment } from './attachment.js';
import { PeerLinks } from './peer-links.js';
import { Previewer } from './previewer.js';
import { RenderDesk } from './render-service.js';
import { SceneDesk } from './scene-desk.js';
import { SessionHost } from './session-host.js';
import { serveFetch, serveKeep } from './snapshot-transfer.js';
import { SnapshotVault } from './snapshot-vault.js';
import { measureSpeed } from './speed.js';

export interface RunnerOptions {
  /** host:port of the coordinator. */
  readonly coordinator: string;
  /** host:port for peers. @default 127.0.0.1:0, any free port */
  readonly listen?: string;
  /** host:port by which others reach this runner. @default where it listens */
  readonly advertise?: string;
  readonly engine: Engine;
  /** What makes its bits: "native avx2". */
  readonly kind: string;
  /** Location of the object store, as `openStore` takes it. */
  readonly store: string;
  /** Threads for what is done beside training. @default all processors */
  readonly threads?: number;
  /** Memory for sessions; a quarter as much again may be taken by renders. */
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
  /** Resolves when the runner has ended: `stop`, or dismissed by the coordinator. */
  readonly ended: Promise<void>;
  register(registry: Registry): void;
  /** Asks for its shards to be moved, then ends; at the latest after `deadlineMs`. */
  drain(deadlineMs: number): Promise<void>;
  /** Ends at once. */
  stop(): Promise<void>;
}

/** Starts a runner: listens for peers, measures its speed, and stays attached to its coordinator. */
export async function startRunner(options: RunnerOptions): Promise<Runner> {
  const { engine, memoryBytes, log = () => undefined, security = {} } = options;
  const id = `${hostname()
    .replace(/[^\w-]/g, '-')
    .slice(0, 40)}-${randomBytes(4).toString('hex')}`;
  const store = openStore(options.store);
  const vault = new SnapshotVault();
  const links = new PeerLinks(id, security);
  const desk = new RenderDesk(engine, store, memoryBytes / 4);
  const previewer = new Previewer({ engine, store, vault, memoryBytes: memoryBytes / 4, log });

  const server = new Server(CHANNEL_OPTIONS);
  const peers: PeerServiceHandlers = {
    Exchange: (call) => links.accept(call),
    KeepSnapshot: (call, answer) => serveKeep(vault, call, answer),
    FetchSnapshot: (call) => serveFetch(vault, call),
  };
  const threads = options.threads ?? availableParallelism();
  const scenes = new SceneDesk({ engine, threads, store: options.store, version: options.version });
  const sceneService: SceneServiceHandlers = {
    Prepare: (call) => scenes.prepare(call),
    Finish: (call, answer) => scenes.finish(call, answer),
  };
  const renders: RenderServiceHandlers = { Render: (call) => desk.serve(call) };
  server.addService(wire().PeerService.service, peers);
  server.addService(wire().RenderService.service, renders);
  server.addService(wire().SceneService.service, sceneService);
  const health = new HealthImplementation({ '': 'NOT_SERVING' });
  health.addToServer(server);
  const wanted = options.listen ?? '127.0.0.1:0';
  const port = await listen(server, wanted, security);
  const address = options.advertise ?? `${bracketed(parseAddress(wanted).host)}:${port}`;
  const stepRate = options.stepRate ?? (await measureSpeed(engine));
  log(`runner ${id} on ${address}: ${engine.device}, ${stepRate.toFixed(0)} reference steps/s`);

  let draining = false;
  let finish: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const host = new SessionHost({ engine, store, vault, links, previewer }, (report) =>
    attachment.report(report),
  );
  const attachment: Attachment = new Attachment({
    coordinator: options.coordinator,
    security,
    hello: () => ({
      runner: id,
      address,
      version: options.version,
      engine: options.kind,
      device: engine.device,
      memoryBytes,
      stepRate,
      draining,
      snapshots: vault.held(),
    }),
    onCommand: (command) => {
      if (command.released) return void stop();
      host.command(command);
    },
    onAttached: () => {
      health.setStatus('', 'SERVING');
      log(`attached to ${options.coordinator}`);
    },
    onLost: (why) => {
      health.setStatus('', 'NOT_SERVING');
      log(`not attached to ${options.coordinator}: ${why}; trying again`);
      // Whoever coordinates next gives new orders under a new epoch.
      host.parkAll().catch((error) => log(String(error)));
    },
  });

  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= (async () => {
      attachment.close();
      await Promise.race([host.parkAll(), new Promise((r) => setTimeout(r, 5000).unref())]);
      links.close();
      server.forceShutdown();
      finish();
    })();
    return stopping;
  };
  return {
    id,
    address,
    ended,
    stop,
    async drain(deadlineMs) {
      draining = true;
      if (!attachment.isAttached) return stop();
      log('leaving: handing over the shards');
      attachment.report({ draining: {} });
      const timer = setTimeout(() => {
        log('the shards were not taken over in time: leaving all the same');
        void stop();
      }, deadlineMs);
      await ended;
      clearTimeout(timer);
    },
    register: (registry) => registerMetrics(registry, { host, vault, links, desk }),
  };
}

function registerMetrics(
  registry: Registry,
  parts: { host: SessionHost; vault: SnapshotVault; links: PeerLinks; desk: RenderDesk },
): void {
  const gauge = (name: string, help: string, value: () => number) => {
    new Gauge({
      name: `implicam_runner_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  };
  gauge('shards', 'Shards hosted now', () => parts.host.shardCount);
  gauge('sessions', 'Sessions known now', () => parts.host.sessionCount);
  gauge('snapshot_bytes', 'Snapshots held in memory', () => parts.vault.bytes());
  gauge('steps_total', 'Steps done', () => parts.host.totals.steps);
  gauge('step_seconds_total', 'Time in steps', () => parts.host.totals.stepSeconds);
  gauge(
    'reduction_seconds_total',
    'Time in the exchange of gradients',
    () => parts.host.totals.reductionSeconds,
  );
  gauge('reduction_sent_bytes_total', 'Gradient bytes sent to peers', () => parts.links.traffic.sent);
  gauge('reduction_received_bytes_total', 'Gradient bytes from peers', () => parts.links.traffic.received);
  gauge('renders_total', 'Renders made', () => parts.desk.rendered);
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
