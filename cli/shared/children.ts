import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ImplicamError } from '../../model/errors.js';

export interface ChildOptions {
  /** Arguments of the program. */
  readonly args: readonly string[];
  /** Called with every line that it writes to standard error. */
  readonly onLine?: (line: string) => void;
  /** Added to this process' environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Started again however often it dies. @default false: it is given up after some deaths */
  readonly tireless?: boolean;
  /** Arguments when it is started again after its death; undefined: the same. */
  readonly argsAgain?: () => readonly string[];
}

/** Starts after a death, at most, and how long to wait before each, in milliseconds. */
const RESTARTS = 5;
const RESTART_AFTER = 500;
/** How long a child that was asked to end may take, in milliseconds. */
const PATIENCE = 8000;

/** Another process of this program, started again when it dies. */
export class Child {
  private readonly options: ChildOptions;
  private process: ChildProcess;
  private restarts = 0;
  private stopping = false;
  private readonly last: string[] = [];
  /** Rejects when it has died too often. */
  readonly failed: Promise<never>;
  private giveUp: (error: ImplicamError) => void = () => undefined;

  constructor(options: ChildOptions) {
    this.options = options;
    this.failed = new Promise((_, reject) => {
      this.giveUp = reject;
    });
    this.failed.catch(() => undefined);
    this.process = this.start(options.args);
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** Asks it to end, and kills it if it does not. */
  async stop(): Promise<void> {
    this.stopping = true;
    const child = this.process;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
    await gone;
    clearTimeout(timer);
  }

  private start(args: readonly string[]): ChildProcess {
    const program = fileURLToPath(new URL('../main.js', import.meta.url));
    const child = spawn(process.execPath, [program, ...args], {
      // The channel tells a child that this process is gone, however it went (main.ts).
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // Ctrl-C reaches the whole group of a terminal; when the children end is this process' decision.
      detached: true,
      env: { ...process.env, ...this.options.env },
    });
    createInterface({ input: child.stderr! }).on('line', (line) => {
      this.last.push(line);
      if (this.last.length > 5) this.last.shift();
      this.options.onLine?.(line);
    });
    child.once('error', (error) => this.died(String(error)));
    child.once('exit', (code, signal) => this.died(signal ?? `exit code ${code}`));
    return child;
  }

  private died(how: string): void {
    if (this.stopping) return;
    const { args, argsAgain, tireless } = this.options;
    this.options.onLine?.(`ended (${how})`);
    if (this.restarts++ >= RESTARTS && !tireless) {
      const words = this.last.join('\n  ');
      this.giveUp(
        new ImplicamError('child-failed', `implicam ${args[0]} ended again and again (${how}):\n  ${words}`),
      );
      return;
    }
    setTimeout(() => {
      if (!this.stopping) this.process = this.start(argsAgain?.() ?? args);
    }, RESTART_AFTER).unref();
  }
}

/** Resolves with the first match in the lines of a child. @throws ImplicamError `child-failed` */
export async function lineOf(
  options: ChildOptions,
  pattern: RegExp,
  deadlineMs: number,
): Promise<{ child: Child; match: RegExpExecArray }> {
  let found: (match: RegExpExecArray) => void = () => undefined;
  const seen = new Promise<RegExpExecArray>((resolve) => {
    found = resolve;
  });
  const child = new Child({
    ...options,
    onLine: (line) => {
      const match = pattern.exec(line);
      if (match) found(match);
      options.onLine?.(line);
    },
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new ImplicamError(
            'child-failed',
            `the ${options.args[0]} process did not come up: what it said is above`,
          ),
        ),
      deadlineMs,
    );
  });
  try {
    return { child, match: await Promise.race([seen, child.failed, late]) };
  } catch (error) {
    await child.stop();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
