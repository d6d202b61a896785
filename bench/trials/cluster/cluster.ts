import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFolderStore } from '../../../store/folder.js';
import type { ObjectStore } from '../../../store/objects.js';
import { freePort, Program } from './program.js';
import { TcpProxy } from './proxy.js';
import { TrainingClient } from './training-client.js';

export interface ClusterOptions {
  readonly runners: number;
  /** Threads of each runner. @default 1 */
  readonly threads?: number;
  /** Memory of each runner, GB. */
  readonly memory?: number;
  /** A proxy before every runner and between every runner and the coordinator. @default false */
  readonly proxied?: boolean;
  /** More arguments for every process: certificates, metrics. */
  readonly args?: readonly string[];
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string };
  /** Takes each line that a process prints, with its name. */
  readonly onLine?: (line: string) => void;
}

/** A runner: its present process, and the proxies on the ways to it and from it to the coordinator. */
export interface ClusterRunner {
  readonly name: string;
  program: Program;
  readonly port: number;
  readonly metrics: string;
  /** Between this runner and the coordinator. */
  readonly upstream: TcpProxy | undefined;
  /** Before this runner's own services: what peers and buddies open. */
  readonly inbound: TcpProxy | undefined;
  /** More arguments, and what is added to the environment. */
  readonly more: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A coordinator and runners as real processes over a folder of their own, with an unmolested way in for clients. */
export class Cluster {
  readonly folder: string;
  readonly store: ObjectStore;
  readonly port: number;
  readonly metrics: string;
  readonly runners: ClusterRunner[] = [];
  readonly client: TrainingClient;
  coordinator: Program;
  private readonly options: ClusterOptions;
  private made = 0;

  private constructor(folder: string, port: number, metricsPort: number, options: ClusterOptions) {
    this.folder = folder;
    this.port = port;
    this.options = options;
    this.metrics = `127.0.0.1:${metricsPort}`;
    this.store = createFolderStore(join(folder, 'objects'));
    this.coordinator = this.startCoordinator();
    this.client = new TrainingClient(`127.0.0.1:${port}`, options.tls ? { tls: options.tls } : {});
  }

  /** Starts all processes and waits until the runners are attached. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const folder = await mkdtemp(join(tmpdir(), 'implicam-cluster-'));
    const cluster = new Cluster(folder, await freePort(), await freePort(), options);
    try {
      await cluster.coordinator.line(/^coordinator on /);
      const runners = Array.from({ length: options.runners }, () => cluster.addRunner());
      for (const runner of await Promise.all(runners)) await runner.program.line(/^attached to /);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Starts the coordinator again, at the same address, over the same folder. */
  restartCoordinator(): void {
    this.coordinator = this.startCoordinator();
  }

  /** Starts one more runner; it attaches when it is ready. `env` is added to this process' environment. */
  async addRunner(
    more: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<ClusterRunner> {
    const { proxied } = this.options;
    const name = `runner-${this.made++}`;
    const port = await freePort();
    const metrics = `127.0.0.1:${await freePort()}`;
    const upstream = proxied ? await TcpProxy.start(this.port) : undefined;
    const inbound = proxied ? await TcpProxy.start(port) : undefined;
    const runner = { name, port, metrics, upstream, inbound, more, env };
    const whole = { ...runner, program: this.startRunner(runner) };
    this.runners.push(whole);
    return whole;
  }

  /** Starts a new process for a runner whose process has ended. */
  restartRunner(runner: ClusterRunner): void {
    runner.program = this.startRunner(runner);
  }

  /** Ends a runner's process and its proxies, and removes it from the cluster. */
  async removeRunner(runner: ClusterRunner, timeoutMs = 40_000): Promise<void> {
    this.runners.splice(this.runners.indexOf(runner), 1);
    await runner.program.stop(timeoutMs);
    await runner.upstream?.stop();
    await runner.inbound?.stop();
  }

  async stop(): Promise<void> {
    this.client.close();
    // Runners first would hand over their shards to each other.
    await this.coordinator.kill();
    await Promise.all(this.runners.map((runner) => runner.program.kill()));
    await Promise.all(this.runners.flatMap((runner) => [runner.upstream?.stop(), runner.inbound?.stop()]));
    await rm(this.folder, { recursive: true, force: true });
  }

  private startCoordinator(): Program {
    return this.startProgram('coordinator', [
      ...['coordinator', '--listen', this.address, '--data', this.folder, '--spread'],
      ...['--metrics', this.metrics],
    ]);
  }

  private startRunner(runner: Omit<ClusterRunner, 'program'>): Program {
    const { threads = 1, memory = 1 } = this.options;
    const listen = `127.0.0.1:${runner.port}`;
    const args = [
      ...['runner', '--coordinator', runner.upstream?.address ?? this.address, '--data', this.folder],
      ...['--listen', listen, '--advertise', runner.inbound?.address ?? listen],
      ...['--threads', `${threads}`, '--memory', `${memory}`, '--metrics', runner.metrics],
      ...runner.more,
    ];
    return this.startProgram(runner.name, args, runner.env);
  }

  private startProgram(
    name: string,
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Program {
    const { tls, onLine, args: more = [] } = this.options;
    const files = tls ? ['--tls-cert', tls.cert, '--tls-key', tls.key, '--tls-ca', tls.ca] : [];
    return new Program(name, [...args, ...files, ...more], (line) => onLine?.(`${name}: ${line}`), env);
  }
}
