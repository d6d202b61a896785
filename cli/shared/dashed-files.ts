import { existsSync } from 'node:fs';

/** A name that begins with a dash and ends as names of files do. */
const DASHED = /^-.*\.[A-Za-z0-9]{2,12}$/;

/**
 * The remedy where the name of a file would be read as an option: `-h1.jpg` would print the help.
 *
 * @param args a command line; behind `--` everything is a name
 * @returns undefined where no argument is such a name
 */
export function dashedFile(args: readonly string[]): string | undefined {
  const end = args.indexOf('--');
  const options = end < 0 ? args : args.slice(0, end);
  const name = options.find((arg) => DASHED.test(arg) && existsSync(arg));
  return name && `${name} is a file, and would be taken for an option: ${remedy(name)}`;
}

/** The remedy for an option that is none, should it be meant as a file. */
export function dashedOption(message: string): string | undefined {
  const name = message.match(/unknown option '(.*)'/)?.[1];
  return name && DASHED.test(name) ? `if ${name} is a file, ${remedy(name)}` : undefined;
}

const remedy = (name: string) =>
  `write ./${name}, or put -- before the names of files: implicam develop --out FOLDER -- ${name} …`;
