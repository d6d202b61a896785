import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ImplicamError } from '../../model/errors.js';
import { describeFailure } from './failure.js';
import { numbersBetween, schemaOption, wholeNumber } from './options.js';
import { score, table } from './table.js';

const schema = z.strictObject({
  width: z.int().min(1).max(100).optional().describe('pixels across'),
  ev: z.number().min(-20).max(20).default(0).describe('stops'),
  tone: z.enum(['srgb', 'filmic']).default('srgb').describe('curve'),
});

function parse(...args: string[]) {
  const command = new Command('x').exitOverride().configureOutput({ writeErr: () => undefined });
  const { shape } = schema;
  command.addOption(schemaOption('--width <n>', shape.width));
  command.addOption(schemaOption('--ev <stops>', shape.ev));
  command.addOption(schemaOption('--tone <name>', shape.tone, 'what the file holds'));
  return { options: () => command.parse(args, { from: 'user' }).opts(), help: command.helpInformation() };
}

describe('options from schemas', () => {
  it('take help, choices and default from the schema', () => {
    const { help, options } = parse();
    expect(help).toMatch(/--width <n>\s+pixels across\n/);
    expect(help).toMatch(/--ev <stops>\s+stops \(default: 0\)/);
    expect(help).toMatch(/curve \(default: what the file holds\) \(choices: "srgb",\s+"filmic"\)/);
    expect(options()).toEqual({ ev: 0 });
  });

  it('read numbers and choices', () => {
    expect(parse('--width', '7', '--ev', '-2.5', '--tone', 'filmic').options()).toEqual({
      width: 7,
      ev: -2.5,
      tone: 'filmic',
    });
  });

  it.each([
    ['--width', '0'],
    ['--width', '1.5'],
    ['--width', ''],
    ['--width', 'wide'],
    ['--ev', '21'],
    ['--tone', 'sepia'],
  ])('refuse %s %s', (flag, value) => {
    expect(() => parse(flag, value).options()).toThrow(/invalid|Allowed/);
  });
});

describe('numbers', () => {
  it('are read whole and within their range', () => {
    expect(wholeNumber(1, 9)('9')).toBe(9);
    for (const text of ['0', '10', '1.5', '', ' ', 'x', 'NaN', 'Infinity']) {
      expect(() => wholeNumber(1, 9)(text)).toThrow(/from 1 to 9/);
    }
  });

  it('are read in parts', () => {
    const size = numbersBetween('x', ['W', 'H']);
    expect(size('640x480')).toEqual([640, 480]);
    for (const text of ['640', '640x', '640x480x3', 'axb', '']) expect(() => size(text)).toThrow(/WxH/);
  });
});

describe('failures', () => {
  it('are told with their remedy and exit code, without a stack', () => {
    const known = new ImplicamError('x', 'a.jpg is cut short: copy it again', { exitCode: 2 });
    expect(describeFailure(known, false)).toEqual({ message: known.message, exitCode: 2 });
    const bug = describeFailure(new TypeError('x is not a function'), false);
    expect(bug.exitCode).toBe(1);
    expect(bug.message).toMatch(/x is not a function.*IMPLICAM_DEBUG=1/);
    expect(bug.message).not.toContain('\n');
  });

  it('show where they come from when debugging', () => {
    const cause = new Error('the disk');
    const { message } = describeFailure(new ImplicamError('x', 'no', { cause }), true);
    expect(message).toMatch(/options\.test\.ts/);
    expect(message).toContain('caused by Error: the disk');
  });
});

describe('tables', () => {
  it('align names to the left and numbers to the right', () => {
    expect(
      table(
        ['name', 'dB'],
        [
          ['μ-law', score(36.912)],
          ['x', score(null)],
        ],
      ),
    ).toBe('name      dB\nμ-law  36.91\nx          –\n');
  });
});
