/** How far an operation has come. */
export type OnProgress = (done: { readonly bytes: number; readonly of: number }) => void;

/** How a long operation is cancelled and watched. */
export interface Watched {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}
