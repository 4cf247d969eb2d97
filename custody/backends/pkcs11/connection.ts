import { statSync } from "node:fs";
import { guarded, openPkcs11, type Pkcs11Session, type Pkcs11Token } from "../../../certs/signers/pkcs11-session.ts";
import { messageOf, TrustKernError } from "../../../shared/errors.ts";
import { custodyStoreErrors } from "../errors.ts";

/** A session with a token that is opened again when it is lost, with what was read from the token in it. */
export interface Pkcs11Connection<T> {
  /**
   * Gives what `use` gives. When the session turns out to be lost, a new one is opened and `use` runs a second time; after
   * any other refusal of the token, the next call opens a new one.
   * @throws CUSTODY_STORE_CLOSED, what `load` throws, and every SIGNER_ code of a token
   */
  readonly run: <R>(use: (loaded: T) => R) => Promise<R>;
  readonly close: () => Promise<void>;
}

/** What a connection is made with. */
export interface Pkcs11ConnectionOptions<T> {
  readonly token: Pkcs11Token;
  /** Reads what every use needs, once for each session: handles of objects end with their session's login. */
  readonly load: (session: Pkcs11Session) => T;
  /** @default openPkcs11 */
  readonly open?: (token: Pkcs11Token) => Promise<Pkcs11Session>;
}

interface Opened<T> {
  readonly session: Pkcs11Session;
  readonly loaded: T;
}

/** Makes a connection; the first use opens its session. */
export function connectPkcs11<T>(options: Pkcs11ConnectionOptions<T>): Pkcs11Connection<T> {
  return new Connection(options);
}

// What a token says of a session, a login or a handle that is no more (PKCS #11 v2.40, section 5.1): nothing was done then.
const LOST =
  /CKR_(SESSION_HANDLE_INVALID|SESSION_CLOSED|USER_NOT_LOGGED_IN|OBJECT_HANDLE_INVALID|KEY_HANDLE_INVALID|DEVICE_REMOVED|DEVICE_ERROR|TOKEN_NOT_PRESENT|CRYPTOKI_NOT_INITIALIZED)/;

class Connection<T> implements Pkcs11Connection<T> {
  readonly #options: Pkcs11ConnectionOptions<T>;
  readonly #refusals = new PinRefusals();
  #opening: Promise<Opened<T>> | undefined;
  #closed = false;

  constructor(options: Pkcs11ConnectionOptions<T>) {
    this.#options = options;
  }

  async run<R>(use: (loaded: T) => R): Promise<R> {
    const opening = this.#current();
    try {
      return use((await opening).loaded);
    } catch (thrown) {
      if (thrown instanceof TrustKernError) throw thrown;
      await this.#drop(opening);
      if (!LOST.test(messageOf(thrown))) return this.#refused(thrown);
    }
    const again = this.#current();
    const { loaded } = await again;
    try {
      return use(loaded);
    } catch (thrown) {
      if (!(thrown instanceof TrustKernError)) await this.#drop(again);
      return this.#refused(thrown);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#drop(this.#opening);
  }

  #current(): Promise<Opened<T>> {
    const { token } = this.#options;
    if (this.#closed)
      throw custodyStoreErrors.error("CUSTODY_STORE_CLOSED", "the store is closed", { path: token.token });
    if (this.#opening !== undefined) return this.#opening;
    const opening = this.#open();
    this.#opening = opening;
    opening.catch(() => {
      if (this.#opening === opening) this.#opening = undefined;
    });
    return opening;
  }

  async #open(): Promise<Opened<T>> {
    const { token, load, open = openPkcs11 } = this.#options;
    const session = await this.#refusals.heeding(token.pinFile, () => open(token));
    try {
      return { session, loaded: guarded(token, () => load(session)) };
    } catch (thrown) {
      session.close();
      throw thrown;
    }
  }

  async #drop(opening: Promise<Opened<T>> | undefined): Promise<void> {
    if (opening === undefined || this.#opening !== opening) return;
    this.#opening = undefined;
    await opening.then(
      ({ session }) => session.close(),
      () => undefined,
    );
  }

  #refused(thrown: unknown): never {
    return guarded(this.#options.token, () => {
      throw thrown;
    });
  }
}

/** A PIN that a token refused is not offered again: a few wrong ones lock the token. */
class PinRefusals {
  #refused: { readonly pinFile: string; readonly error: TrustKernError } | undefined;

  async heeding<R>(pinFile: string, login: () => Promise<R>): Promise<R> {
    const version = versionOf(pinFile);
    if (this.#refused !== undefined && this.#refused.pinFile === version) throw this.#refused.error;
    try {
      return await login();
    } catch (thrown) {
      if (thrown instanceof TrustKernError && thrown.code === "SIGNER_PIN_WRONG")
        this.#refused = { pinFile: version, error: thrown };
      throw thrown;
    }
  }
}

function versionOf(file: string): string {
  const { ino, mtimeNs } = statSync(file, { bigint: true, throwIfNoEntry: false }) ?? { ino: 0n, mtimeNs: 0n };
  return `${ino}:${mtimeNs}`;
}
