import { hostErrors } from "./errors.ts";

/**
 * What `work` comes to, unless `signal` aborts first.
 * @throws DEPLOY_CANCELLED
 */
export async function orCancelled<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const cancel = (): void => reject(hostErrors.error("DEPLOY_CANCELLED", "interrupted before it was done"));
  if (signal.aborted) cancel();
  signal.addEventListener("abort", cancel);
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", cancel);
    work.catch(() => undefined);
  }
}
