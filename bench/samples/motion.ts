import type { RandomStream } from '../../model/philox.js';

/** What moves between frames: nothing, the camera in the hand, or one object of the scene. */
export type Motion = 'none' | 'hand' | 'object';

/** Row-major 3×3. */
export type Homography = readonly number[];

export const IDENTITY: Homography = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/** How one frame sees the scene. */
export interface View {
  /**
   * Maps a position in the frame, in pixels, to the position in the reference frame (and the truth) that shows the
   * same point.
   */
  readonly homography: Homography;
  /** How far the moving object has gone since the reference frame, in scene units. */
  readonly shift: readonly [number, number];
  /** The same of somebody who walks by. */
  readonly walk: readonly [number, number];
}

export const STILL: View = { homography: IDENTITY, shift: [0, 0], walk: [0, 0] };

/** Whether a frame sees what the reference frame does. */
export function isStill({ homography, shift, walk }: View): boolean {
  return homography.every((v, i) => v === IDENTITY[i]) && [...shift, ...walk].every((v) => v === 0);
}

/** The frame that the truth is registered to: the middle one, as pictures are taken around it in time. */
export function referenceFrame(frames: number): number {
  return Math.floor(frames / 2);
}

/**
 * The views of a hand-held capture: a few pixels of shift, up to half a degree of roll, a trace of perspective, and
 * focus breathing of 0.5–1 % from the nearest to the farthest focus. The reference frame is the identity.
 *
 * @param focusIndex of every frame, in order of time; @param foci how many there are; @param breathes share by which
 * the picture grows instead.
 */
export function handHeld(
  random: RandomStream,
  focusIndex: readonly number[],
  foci: number,
  width: number,
  height: number,
  breathes = 0,
): View[] {
  const reference = referenceFrame(focusIndex.length);
  const usual = 0.005 + 0.005 * random.unit();
  const breathing = breathes > 0 ? breathes : usual;
  const reach = 0.006 * Math.max(width, height);
  const signed = () => 2 * random.unit() - 1;
  // A hand wanders: each frame's pose is half its predecessor's.
  let [x, y, roll, tiltX, tiltY] = [0, 0, 0, 0, 0];
  const poses = focusIndex.map(() => {
    x = 0.5 * x + reach * signed();
    y = 0.5 * y + reach * signed();
    roll = 0.5 * roll + 0.006 * signed();
    tiltX = 0.5 * tiltX + 0.0015 * signed();
    tiltY = 0.5 * tiltY + 0.0015 * signed();
    return [x, y, roll, tiltX, tiltY] as const;
  });
  const origin = poses[reference];
  return focusIndex.map((focus, i) => {
    if (i === reference) return STILL;
    const pose = poses[i].map((v, k) => v - origin[k]) as [number, number, number, number, number];
    const scale = breathed(breathing, focus - focusIndex[reference], foci);
    return { ...STILL, homography: poseHomography(pose, scale, width, height) };
  });
}

const breathed = (breathing: number, steps: number, foci: number) =>
  1 + breathing * (foci > 1 ? steps / (foci - 1) : 0);

/** The views of a tripod and a lens that breathes: `breathing` from the nearest to the farthest focus. */
export function breathingLens(
  breathing: number,
  focusIndex: readonly number[],
  foci: number,
  width: number,
  height: number,
): View[] {
  const reference = focusIndex[referenceFrame(focusIndex.length)];
  return focusIndex.map((focus) => {
    if (breathing === 0 || focus === reference) return STILL;
    const scale = breathed(breathing, focus - reference, foci);
    return { ...STILL, homography: poseHomography([0, 0, 0, 0, 0], scale, width, height) };
  });
}

/** Where somebody who walks across the picture is in each frame, relative to the reference frame, in scene units. */
export function walker(random: RandomStream, frames: number): (readonly [number, number])[] {
  const step = (0.25 + 0.2 * random.unit()) * (random.unit() < 0.5 ? -1 : 1);
  const reference = referenceFrame(frames);
  return Array.from({ length: frames }, (_, i) => [step * (i - reference), 0]);
}

function poseHomography(
  [x, y, roll, tiltX, tiltY]: readonly [number, number, number, number, number],
  scale: number,
  width: number,
  height: number,
): Homography {
  const c = scale * Math.cos(roll);
  const s = scale * Math.sin(roll);
  const half = Math.max(width, height) / 2;
  const about = multiply(
    [c, -s, x, s, c, y, tiltX / half, tiltY / half, 1],
    [1, 0, -width / 2, 0, 1, -height / 2, 0, 0, 1],
  );
  const h = multiply([1, 0, width / 2, 0, 1, height / 2, 0, 0, 1], about);
  return h.map((v) => v / h[8]);
}

/** The views of a capture in which one object drifts steadily across the picture, `step` scene units a frame. */
export function movingObject(random: RandomStream, frames: number, step: number): View[] {
  const direction = (random.unit() - 0.5) * 0.8 + (random.unit() < 0.5 ? Math.PI : 0);
  const reference = referenceFrame(frames);
  return Array.from({ length: frames }, (_, i) => ({
    ...STILL,
    shift: [step * (i - reference) * Math.cos(direction), step * (i - reference) * Math.sin(direction)],
  }));
}

/** a · b. */
export function multiply(a: Homography, b: Homography): Homography {
  const out: number[] = [];
  for (let r = 0; r < 3; r++) {
    for (let c = 0; c < 3; c++) {
      out.push(a[3 * r] * b[c] + a[3 * r + 1] * b[3 + c] + a[3 * r + 2] * b[6 + c]);
    }
  }
  return out;
}

/** Inverse by cofactors, scaled to a last element of 1. */
export function invert(m: Homography): Homography {
  const [a, b, c, d, e, f, g, h, i] = m as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const adjugate = [
    e * i - f * h,
    c * h - b * i,
    b * f - c * e,
    f * g - d * i,
    a * i - c * g,
    c * d - a * f,
    d * h - e * g,
    b * g - a * h,
    a * e - b * d,
  ];
  return adjugate.map((v) => v / adjugate[8]);
}

/** Writes where a homography takes (x, y). */
export function project(m: Homography, x: number, y: number, out: Float64Array): void {
  const w = 1 / (m[6] * x + m[7] * y + m[8]);
  out[0] = (m[0] * x + m[1] * y + m[2]) * w;
  out[1] = (m[3] * x + m[4] * y + m[5]) * w;
}
