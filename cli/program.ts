import { Command, CommanderError } from 'commander';
import { dashedFile, dashedOption } from './shared/dashed-files.js';
import { describeFailure } from './shared/failure.js';
import { programVersion } from './shared/version.js';

/** What a command's module exports: its options and what it does are declared in one place. */
interface CommandModule {
  define(command: Command): void;
}

interface CommandEntry {
  readonly summary: string;
  /** Another name, which earlier versions had. */
  readonly alias?: string;
  /** Loaded only when the command is asked for: the program starts in the time that one command needs. */
  readonly load: () => Promise<CommandModule>;
}

const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  develop: {
    summary: 'learn scene and camera from photographs, and write the all-in-focus, full-range picture',
    load: () => import('./develop.js'),
  },
  render: {
    summary: 'render a developed model: refocused, re-exposed, its depth or its response',
    load: () => import('./render.js'),
  },
  sample: {
    summary: 'photograph a generated scene whose truth is known',
    load: () => import('./sample.js'),
  },
  evaluate: {
    summary: 'score a model against the truth of its scene',
    load: () => import('./evaluate.js'),
  },
  demo: {
    summary: 'make a sample capture, develop it, print the scores and write the pictures',
    load: () => import('./demo.js'),
  },
  bench: {
    summary: 'measure this machine: one training step, a whole training, renders',
    load: () => import('./bench.js'),
  },
  up: {
    summary: 'run the whole service on this machine: API and web page, database, coordinator, runners',
    alias: 'start',
    load: () => import('./up.js'),
  },
  serve: {
    summary: 'serve the HTTP API: sessions, photographs, training, events, renders',
    load: () => import('./serve.js'),
  },
  keys: {
    summary: 'make, list and revoke API keys',
    load: () => import('./keys.js'),
  },
  migrate: {
    summary: 'bring the database to the schema of this program',
    load: () => import('./migrate.js'),
  },
  coordinator: {
    summary: 'have sessions trained by the runners that attach',
    load: () => import('./coordinator.js'),
  },
  runner: {
    summary: 'train and render for a coordinator on this device',
    load: () => import('./runner.js'),
  },
  doctor: {
    summary: 'tell what this installation and this machine can do',
    load: () => import('./doctor.js'),
  },
};

/** The program with its commands; the options of those that are wanted are loaded. */
export async function createProgram(wanted: (command: string) => boolean): Promise<Command> {
  const program = new Command('implicam')
    .description('Learns a scene and the camera that photographed it, then renders what no frame shows.')
    .version(programVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .showHelpAfterError('(add --help for what there is)')
    .exitOverride();
  for (const [name, { summary, alias, load }] of Object.entries(COMMANDS)) {
    const command = program.command(name).description(summary);
    if (alias) command.alias(alias);
    if (wanted(name)) (await load()).define(command);
  }
  return program;
}

/**
 * Runs a command line (without node and script).
 *
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage. Failures have been told on standard error.
 */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  ignoreClosedPipe();
  const names = Object.keys(COMMANDS);
  const commandOf = (arg: string) => names.find((name) => arg === name || arg === COMMANDS[name].alias);
  const asked = args.map(commandOf).find((name) => name !== undefined);
  const dashed = dashedFile(args);
  if (dashed) {
    process.stderr.write(`implicam: ${dashed}\n`);
    return 2;
  }
  const program = await createProgram((name) => name === asked);
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has printed its own: help and version end well, everything else is wrong usage.
    if (error instanceof CommanderError) {
      const hint = dashedOption(error.message);
      if (hint) process.stderr.write(`${hint}\n`);
      return error.exitCode === 0 ? 0 : 2;
    }
    const { message, exitCode } = describeFailure(error);
    process.stderr.write(`implicam: ${message}\n`);
    return exitCode;
  }
}

/** `implicam … | head` ends when its reader has had enough, without a word. */
function ignoreClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  // Work that nobody watches any more goes on: a service must not die of the end of a log.
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  });
}
