import type { Session, SessionEvent } from './resources.js';

/** What is known of a training, from its events. */
export interface TrainingState {
  readonly run: number;
  readonly phase: string | null;
  /** Why it does not go on right now. */
  readonly waiting: string | null;
  readonly step: number;
  readonly stepsTotal: number | null;
  readonly loss: number | null;
  readonly psnr: number | null;
  readonly stepsPerSecond: number | null;
  readonly secondsLeft: number | null;
  readonly runners: number | null;
  /** The newest picture of what is learned so far. */
  readonly preview: { readonly href: string; readonly step: number } | null;
  /** PSNR in dB against the step. */
  readonly curve: readonly (readonly [step: number, psnr: number])[];
  /** What was decided and why. */
  readonly notes: readonly string[];
}

/** Points of the curve that are kept: as many as can be seen. */
const CURVE_POINTS = 300;
const NOTES = 50;

export function beginTraining({ training }: Session): TrainingState {
  return {
    run: training.run,
    phase: training.phase,
    waiting: null,
    step: training.step ?? 0,
    stepsTotal: training.stepsTotal,
    loss: training.loss,
    psnr: training.psnr,
    stepsPerSecond: null,
    secondsLeft: null,
    runners: null,
    preview: null,
    curve: [],
    notes: [],
  };
}

/** The state after an event. Events come in order, from the first of the session on. */
export function afterEvent(state: TrainingState, { type, data }: SessionEvent): TrainingState {
  switch (type) {
    case 'queued':
      return queued(state, Number(data.run));
    case 'requeued':
      return {
        ...state,
        waiting: 'another machine will take it up',
        stepsPerSecond: null,
        secondsLeft: null,
      };
    case 'started':
      return { ...state, waiting: null };
    case 'waiting':
      return { ...state, waiting: String(data.reason) };
    case 'phase':
      return { ...state, phase: String(data.phase), waiting: null };
    case 'note':
      return { ...state, notes: [...state.notes, String(data.text)].slice(-NOTES) };
    case 'preview':
      return { ...state, preview: { href: String(data.href), step: Number(data.step) } };
    case 'placed':
      return placed(state, Number(data.runners), Number(data.step));
    case 'progress':
      return progressed(state, data);
    default:
      return state;
  }
}

/** A new run begins anew; the same one goes on from where it was. */
function queued(state: TrainingState, run: number): TrainingState {
  const again = { ...state, waiting: null, phase: null, stepsPerSecond: null, secondsLeft: null };
  if (run === state.run && state.curve.length > 0) return again;
  return { ...again, run, step: 0, loss: null, psnr: null, preview: null, curve: [], notes: [] };
}

/** After the loss of a runner training goes back to the newest snapshot. */
function placed(state: TrainingState, runners: number, step: number): TrainingState {
  return { ...state, runners, waiting: null, curve: state.curve.filter(([at]) => at <= step) };
}

function progressed(state: TrainingState, data: SessionEvent['data']): TrainingState {
  const number = (value: unknown): number | null =>
    typeof value === 'number' && Number.isFinite(value) ? value : null;
  const step = number(data.step) ?? state.step;
  const psnr = number(data.psnr);
  const curve = psnr === null ? state.curve : thinned([...state.curve, [step, psnr] as const]);
  return {
    ...state,
    step,
    psnr,
    curve,
    phase: 'train',
    waiting: null,
    stepsTotal: number(data.stepsTotal) ?? state.stepsTotal,
    loss: number(data.loss),
    stepsPerSecond: number(data.stepsPerSecond),
    secondsLeft: number(data.secondsLeft),
  };
}

/** Every other point goes where there are too many; the newest stays. */
function thinned(curve: TrainingState['curve']): TrainingState['curve'] {
  if (curve.length <= CURVE_POINTS) return curve;
  return curve.filter((_, i) => i % 2 === 0 || i === curve.length - 1);
}
