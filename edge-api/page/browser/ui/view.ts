import type { Api } from '../client/api.js';

/** What a view stands on. */
export interface Context {
  readonly api: Api;
  /** Ends with the view: nothing of it may go on then. */
  readonly signal: AbortSignal;
  /** Goes to another view, by its address behind the #. */
  go(address: string): void;
  /** The title of the window. */
  title(text: string): void;
}

/** A view: an element that may be filled later, and a heading that takes the focus when the view is entered. */
export type View = (context: Context) => HTMLElement;
