import { SingleBar } from 'cli-progress';
import type { DevelopProgress } from '../../develop/options.js';

/** Where progress goes: standard error, so that standard output stays for results. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Tells a person how far a run is. */
export interface ProgressReport {
  /** A line of its own: what begins, what was decided. */
  line(text: string): void;
  progress(state: DevelopProgress): void;
  /** Ends the bar, or tells the last state that was held back. */
  stop(): void;
}

/** Plain lines come at most this often, in milliseconds. */
const LINE_INTERVAL = 2000;

/**
 * A bar with loss, PSNR, steps a second and time left on a terminal; plain lines, at most one in two seconds,
 * elsewhere.
 */
export function reportProgress(
  stream: ProgressStream = process.stderr,
  now: () => number = () => performance.now(),
): ProgressReport {
  return stream.isTTY ? barReport(stream as NodeJS.WritableStream) : lineReport(stream, now);
}

function barReport(stream: NodeJS.WritableStream): ProgressReport {
  let bar: SingleBar | undefined;
  const stop = () => {
    bar?.stop();
    bar = undefined;
  };
  return {
    line(text) {
      stop();
      stream.write(`${text}\n`);
    },
    progress(state) {
      const payload = wordsOf(state);
      if (!bar) {
        bar = new SingleBar({
          stream,
          format: '{bar} {value}/{total}  loss {loss}  {psnr} dB  {rate} steps/s  {left} left',
          hideCursor: true,
          barsize: 24,
          // Ctrl-C is ours: it saves a snapshot.
          gracefulExit: false,
        });
        bar.start(state.steps, state.step, payload);
      } else bar.update(state.step, payload);
    },
    stop,
  };
}

function lineReport(stream: ProgressStream, now: () => number): ProgressReport {
  let last = Number.NEGATIVE_INFINITY;
  let held: DevelopProgress | undefined;
  const tell = (state: DevelopProgress) => {
    const { loss, psnr, rate, left } = wordsOf(state);
    stream.write(
      `step ${state.step}/${state.steps}  loss ${loss}  ${psnr} dB  ${rate} steps/s  ${left} left\n`,
    );
    held = undefined;
  };
  return {
    line(text) {
      if (held) tell(held);
      stream.write(`${text}\n`);
    },
    progress(state) {
      held = state;
      if (now() - last < LINE_INTERVAL) return;
      last = now();
      tell(state);
    },
    stop() {
      if (held) tell(held);
    },
  };
}

function wordsOf({ loss, psnr, stepsPerSecond, secondsLeft }: DevelopProgress) {
  const known = (value: number, words: (value: number) => string) =>
    Number.isFinite(value) ? words(value) : '?';
  return {
    loss: known(loss, (v) => v.toPrecision(3)),
    psnr: known(psnr, (v) => v.toFixed(1)),
    rate: known(stepsPerSecond, (v) => v.toPrecision(3)),
    left: known(secondsLeft, duration),
  };
}

/** Seconds as a person reads them: 1.5 s, 42 s, 3 min 05 s, 2 h 10 min. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}
