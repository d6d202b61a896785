/** What the API answers with, as far as the page looks at it (`edge-api/schemas.ts` has all of it). */

export type SessionState = 'draft' | 'queued' | 'training' | 'trained' | 'failed' | 'cancelled';

export interface Session {
  readonly id: string;
  readonly state: SessionState;
  readonly preset: string;
  readonly quality: string;
  readonly frames: number;
  /** Of every photograph, in pixels; unknown until one was decoded. */
  readonly width: number | null;
  readonly height: number | null;
  readonly training: {
    readonly run: number;
    readonly position: number | null;
    readonly phase: string | null;
    readonly step: number | null;
    readonly stepsTotal: number | null;
    readonly loss: number | null;
    readonly psnr: number | null;
  };
  readonly model: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Number of the newest event. */
  readonly lastEvent: number;
  readonly createdAt: string;
}

export interface Frame {
  readonly number: number;
  readonly name: string;
  readonly bytes: number;
  readonly camera: {
    readonly exposureTime?: number | undefined;
    readonly fNumber?: number | undefined;
    readonly iso?: number | undefined;
    readonly focusDistance?: number | undefined;
  };
}

export interface Model {
  readonly version: number;
  readonly bytes: number;
  readonly steps: number;
  readonly psnr: number | null;
  readonly outputs: readonly { readonly name: string; readonly type: string; readonly bytes: number }[];
}

export interface SessionEvent {
  readonly number: number;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Events after which nothing more comes until somebody asks for something. */
export const FINAL_EVENTS = ['trained', 'failed', 'cancelled'] as const;

export const isActive = ({ state }: Session): boolean => state === 'queued' || state === 'training';
