import type { BackendClient } from "./backend-client.ts";
import type { Identity } from "./identity.ts";

/** What {@link createIntroduction} is handed. */
export interface IntroductionOptions {
  readonly client: Pick<BackendClient, "introduce">;
  readonly identity: Pick<Identity, "credentials">;
  /** Told of each attempt that got no answer. */
  readonly onFailure: (thrown: unknown) => void;
}

/**
 * Makes the function that shows the backend a certificate that has no token yet, once in the life of the process; to be called about
 * once a minute. The backend gave away a serial number at the enrolment, and learns with this which certificate came of it: only then
 * can an operator have a token made for it.
 */
export function createIntroduction({ client, identity, onFailure }: IntroductionOptions): () => Promise<void> {
  let shown = "";
  return async () => {
    const [newest] = identity.credentials();
    if (newest === undefined || newest.token !== null || newest.sha256 === shown) return;
    try {
      await client.introduce(newest);
      shown = newest.sha256;
    } catch (thrown) {
      onFailure(thrown);
    }
  };
}
