import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../../database/connection.js';
import { startEmbeddedPostgres } from '../../../database/embedded-postgres.js';
import { createKey } from '../../../edge-api/keys/keys.js';
import { ImplicamError } from '../../../model/errors.js';
import { freePort, Program } from '../cluster/program.js';

/** What `implicam up` runs, by the words of its command line; `up` is the process that keeps the others. */
export const PARTS = ['serve', 'coordinator', 'runner', 'postgres', 'up'] as const;
export type Part = (typeof PARTS)[number];

export interface ServiceOptions {
  /** More arguments of `implicam up`. */
  readonly args?: readonly string[];
  /** One line of what its processes say. */
  readonly onLine?: (line: string) => void;
}

/** How long the service may take to answer after a start or a death, in milliseconds. */
const READY_DEADLINE = 120_000;
const STOP_PATIENCE = 20_000;

/** The whole service as `npm start` runs it, over a data folder of its own: real processes, a real Postgres. */
export class Service {
  readonly folder: string;
  readonly port: number;
  /** The key that its first start printed. */
  key = '';
  /** The newest lines in which the API logs a fault of its own. */
  readonly faults: string[] = [];
  private readonly options: ServiceOptions;
  private program: Program;

  private constructor(folder: string, port: number, options: ServiceOptions) {
    this.folder = folder;
    this.port = port;
    this.options = options;
    this.program = this.run();
  }

  /** Starts everything and waits until it answers and has printed its key. */
  static async start(options: ServiceOptions = {}): Promise<Service> {
    const folder = await mkdtemp(join(tmpdir(), 'implicam-service-'));
    const service = new Service(folder, await freePort(), options);
    try {
      await service.program.line(/#key=\S+/, READY_DEADLINE);
      await service.ready();
      return service;
    } catch (error) {
      await service.stop();
      throw error;
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Waits until the API answers and reaches its database. @throws ImplicamError `program-failed` */
  async ready(deadlineMs = READY_DEADLINE): Promise<void> {
    const end = performance.now() + deadlineMs;
    while (performance.now() < end) {
      const signal = AbortSignal.timeout(5000);
      const answer = await fetch(`${this.url}/readyz`, { signal }).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.status === 200) return;
      await sleep(100);
    }
    throw new ImplicamError(
      'program-failed',
      `the service is not ready after ${deadlineMs / 1000} s\n  ${this.program.tail}`,
    );
  }

  /** A key that no rate and no quota holds back: what a benchmark measures is the service. */
  async unlimitedKey(): Promise<string> {
    // Adopts the server that is running; it stays when this program goes.
    const { url } = await startEmbeddedPostgres({ folder: join(this.folder, 'data', 'postgres') });
    const db = openDatabase(url, { connections: 1, name: 'implicam bench' });
    const most = 1_000_000;
    const limits = { ratePerMinute: most, burst: most, maxSessions: most };
    try {
      return (await createKey(db, { tenant: 'local', name: 'bench', ...limits })).secret;
    } finally {
      await db.destroy();
    }
  }

  /** Processes of a part that are there now. */
  processesOf(part: Part): number[] {
    if (part === 'up') return [this.program.pid];
    const table = execFileSync('ps', ['-eo', 'pid,ppid,args']).toString().trim().split('\n').slice(1);
    const rows = table.map((line) => {
      const [, pid, parent, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line)!;
      return { pid: Number(pid), parent: Number(parent), args: args };
    });
    // A Postgres that outlived its starter is nobody's child: its data folder tells whose it is.
    if (part === 'postgres') {
      const mine = join(this.folder, 'data', 'postgres');
      return rows.filter(({ args }) => args.includes(mine)).map(({ pid }) => pid);
    }
    const own = rows.filter(({ parent }) => parent === this.program.pid);
    return own.filter(({ args }) => args.includes(`main.js ${part}`)).map(({ pid }) => pid);
  }

  /**
   * Kills a part with SIGKILL. Its keeper starts it again; the keeper itself is started again here.
   *
   * @param which of several processes of the part, any whole number
   */
  async kill(part: Part, which = 0): Promise<void> {
    if (part === 'up') {
      await this.program.kill();
      this.program = this.run();
      return;
    }
    const pids = this.processesOf(part);
    const pid = pids[which % pids.length];
    // Between a death and the next start there is nobody to kill.
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  }

  /** Ends everything and removes the data. */
  async stop(): Promise<void> {
    await this.program.stop(STOP_PATIENCE);
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  private run(): Program {
    const { args = [], onLine } = this.options;
    const watchLine = (line: string) => {
      this.key = /#key=(\S+)/.exec(line)?.[1] ?? this.key;
      if (line.includes('"code":"internal"'))
        this.faults.splice(0, this.faults.length, ...this.faults.slice(-9), line);
      onLine?.(line);
    };
    const environment = { IMPLICAM_DATA: join(this.folder, 'data'), IMPLICAM_LOG: 'warn' };
    return new Program('up', ['up', '--port', `${this.port}`, ...args], watchLine, environment);
  }
}
