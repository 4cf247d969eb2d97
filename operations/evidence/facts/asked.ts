import { TrustKernError } from "../../../shared/errors.ts";

/**
 * Asks what may be away. What says that it is is named among the unknown, and there is no answer.
 * @param unknown facts that could not be had, which one more is put to
 */
export async function asked<T, F extends string>(
  unknown: { fact: F; code: string }[],
  fact: F,
  ask: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await ask();
  } catch (thrown) {
    if (!(thrown instanceof TrustKernError)) throw thrown;
    unknown.push({ fact, code: thrown.code });
    return undefined;
  }
}
