import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ImplicamError } from '../../../model/errors.js';

/** The built program; from the sources it is looked for where `npm run build:ts` puts it. */
function programPath(): string {
  const here = new URL(import.meta.url);
  const root = here.pathname.includes('/dist/') ? '../../../' : '../../../dist/';
  return fileURLToPath(new URL(`${root}cli/main.js`, here));
}

/** Lines of a process that are kept for error messages. */
const REMEMBERED = 40;

const running = new Set<ChildProcess>();

/** Asks every process that was started here to end, frozen or not: none outlives this one. */
function leaveNobodyBehind(): void {
  for (const child of running) {
    child.kill('SIGTERM');
    child.kill('SIGCONT');
  }
}
process.once('exit', leaveNobodyBehind);

/** Ctrl-C and SIGTERM end this process by its exit, so that what it started ends too. */
export function endOnSignals(): void {
  // 130 is what shells expect of a program that Ctrl-C ended.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
}

/** The program in a process of its own, to be watched, stopped and killed. */
export class Program {
  private readonly child: ChildProcess;
  private readonly lines: string[] = [];
  private readonly listeners = new Set<(line: string) => void>();
  readonly name: string;
  /** Resolves with how it ended: a signal's name or `exit code N`. */
  readonly ended: Promise<string>;

  /** @param env added to this process' environment */
  constructor(
    name: string,
    args: readonly string[],
    onLine?: (line: string) => void,
    env: Readonly<Record<string, string>> = {},
  ) {
    this.name = name;
    if (onLine) this.listeners.add(onLine);
    this.child = spawn(process.execPath, [programPath(), ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...env },
    });
    createInterface({ input: this.child.stderr! }).on('line', (line) => {
      this.lines.push(line);
      if (this.lines.length > REMEMBERED) this.lines.shift();
      for (const listener of [...this.listeners]) listener(line);
    });
    running.add(this.child);
    this.ended = once(this.child, 'exit').then(([code, signal]) => {
      running.delete(this.child);
      return signal ?? `exit code ${code}`;
    });
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.child.kill(signal);
  }

  /** Ends it: asks, unfreezes it in case it is frozen, then kills it. */
  async stop(patienceMs = 5000): Promise<void> {
    if (!this.isRunning) return;
    this.child.kill('SIGTERM');
    this.child.kill('SIGCONT');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), patienceMs);
    await this.ended;
    clearTimeout(timer);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }

  /** The first match in its lines, past ones too. @throws ImplicamError `program-failed` */
  async line(pattern: RegExp, deadlineMs = 60_000): Promise<RegExpExecArray> {
    for (const line of this.lines) {
      const match = pattern.exec(line);
      if (match) return match;
    }
    let timer: NodeJS.Timeout | undefined;
    let listener: (line: string) => void = () => undefined;
    const seen = new Promise<RegExpExecArray>((resolve) => {
      listener = (line) => {
        const match = pattern.exec(line);
        if (match) resolve(match);
      };
      this.listeners.add(listener);
    });
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve(`has not said ${pattern} for ${deadlineMs / 1000} s`), deadlineMs);
    });
    const answer = await Promise.race([seen, late, this.ended.then((how) => `ended: ${how}`)]);
    clearTimeout(timer);
    this.listeners.delete(listener);
    if (typeof answer !== 'string') return answer;
    throw new ImplicamError('program-failed', `${this.name} ${answer}\n  ${this.lines.join('\n  ')}`);
  }

  /** Its last lines, for messages. */
  get tail(): string {
    return this.lines.join('\n  ');
  }
}

/** A port of this machine on which nobody listens now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
