/**
 * The one error class of the project. `code` is stable and machine-readable, `message` says what was wrong, with
 * what, and what to do about it; `status` is the HTTP status it becomes and `exitCode` the status of a command.
 */
export class ImplicamError extends Error {
  readonly code: string;
  readonly status: number;
  /** 1: failed, 2: wrong usage. */
  readonly exitCode: 1 | 2;

  constructor(
    code: string,
    message: string,
    options: { status?: number; exitCode?: 1 | 2; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ImplicamError';
    this.code = code;
    this.status = options.status ?? 400;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** Throws an ImplicamError with code `internal` when something that must hold does not. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new ImplicamError('internal', `internal error: ${message}`, { status: 500 });
}
