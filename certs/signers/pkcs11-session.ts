import type * as pkcs11js from "pkcs11js";
import { messageOf } from "../../shared/errors.ts";
import { signersErrors } from "./errors.ts";
import { readSecretFile } from "./secret-file.ts";

/** A PKCS #11 token, and who may use it. */
export interface Pkcs11Token {
  /** Absolute path of the library that drives it. */
  readonly module: string;
  /** Label of the token. */
  readonly token: string;
  /** File with the user's PIN. */
  readonly pinFile: string;
}

/** A session with the user logged in. */
export interface Pkcs11Session {
  readonly lib: typeof pkcs11js;
  readonly api: pkcs11js.PKCS11;
  readonly handle: Buffer;
  readonly slot: Buffer;
  readonly close: () => void;
}

interface Loaded {
  readonly lib: typeof pkcs11js;
  readonly api: pkcs11js.PKCS11;
  users: number;
}

// A library is initialised once in a process, however many sessions there are (PKCS #11 v2.40, section 5.4).
const modules = new Map<string, Loaded>();

/**
 * Opens a session and logs in.
 * @throws SIGNER_ADDON_MISSING, SIGNER_MODULE_MISSING, SIGNER_TOKEN_MISSING, SIGNER_SECRET_UNREADABLE, SIGNER_PIN_WRONG,
 * SIGNER_PIN_LOCKED, SIGNER_FAILED
 */
export async function openPkcs11(token: Pkcs11Token): Promise<Pkcs11Session> {
  const pin = readSecretFile(token.pinFile);
  const { lib, api } = await acquire(token.module);
  try {
    const slot = slotOf(api, token);
    return guarded(token, () => {
      const handle = api.C_OpenSession(slot, lib.CKF_SERIAL_SESSION | lib.CKF_RW_SESSION);
      login(api, handle, lib.CKU_USER, pin);
      const close = () => {
        closeSession(api, handle);
        release(token.module);
      };
      return { lib, api, handle, slot, close };
    });
  } catch (thrown) {
    release(token.module);
    throw thrown;
  }
}

/**
 * What `run` gives; what the token refuses becomes one of our errors.
 * @throws SIGNER_PIN_WRONG, SIGNER_PIN_LOCKED, SIGNER_TOKEN_MISSING, SIGNER_CURVE_UNSUPPORTED, SIGNER_FAILED
 */
export function guarded<T>(token: Pkcs11Token, run: () => T): T {
  try {
    return run();
  } catch (thrown) {
    const said = /CKR_[A-Z0-9_]+/.exec(messageOf(thrown))?.[0];
    if (said === undefined) throw thrown;
    throw signersErrors.error(codeOf(said), `the token "${token.token}" answers ${said}`, { path: token.module });
  }
}

function codeOf(said: string) {
  if (said === "CKR_PIN_LOCKED") return "SIGNER_PIN_LOCKED";
  if (said.startsWith("CKR_PIN_")) return "SIGNER_PIN_WRONG";
  if (/^CKR_(TOKEN|DEVICE|SLOT)_/.test(said)) return "SIGNER_TOKEN_MISSING";
  return /CURVE|DOMAIN_PARAMS|MECHANISM/.test(said) ? "SIGNER_CURVE_UNSUPPORTED" : "SIGNER_FAILED";
}

function closeSession(api: pkcs11js.PKCS11, handle: Buffer): void {
  try {
    api.C_CloseSession(handle);
  } catch {
    // The session ended with its token: there is nothing left to close.
  }
}

async function acquire(path: string): Promise<Loaded> {
  const lib = await addOn();
  const known = modules.get(path);
  if (known !== undefined) {
    known.users += 1;
    return known;
  }
  const api = new lib.PKCS11();
  try {
    api.load(path);
  } catch (cause) {
    const message = `the library cannot be loaded: ${messageOf(cause)}`;
    throw signersErrors.error("SIGNER_MODULE_MISSING", message, { path, cause });
  }
  initialize(lib, api, path);
  const loaded = { lib, api, users: 1 };
  modules.set(path, loaded);
  return loaded;
}

function initialize(lib: typeof pkcs11js, api: pkcs11js.PKCS11, path: string): void {
  try {
    // The add-on uses threads of its own, and a library may refuse whoever does not say so.
    api.C_Initialize({ flags: lib.CKF_OS_LOCKING_OK });
  } catch (cause) {
    const message = `the library finds no tokens: ${messageOf(cause)}`;
    throw signersErrors.error("SIGNER_TOKEN_MISSING", message, { path, cause });
  }
}

function release(path: string): void {
  const loaded = modules.get(path);
  if (loaded === undefined) return;
  loaded.users -= 1;
  if (loaded.users > 0) return;
  modules.delete(path);
  loaded.api.C_Finalize();
}

async function addOn(): Promise<typeof pkcs11js> {
  try {
    return (await import("pkcs11js")).default;
  } catch (cause) {
    throw signersErrors.error("SIGNER_ADDON_MISSING", "the add-on pkcs11js is not built for this Node.js", { cause });
  }
}

function slotOf(api: pkcs11js.PKCS11, { token, module }: Pkcs11Token): Buffer {
  const slots = api.C_GetSlotList(true).map((slot) => ({ slot, label: labelOf(api, slot) }));
  // A slot whose token nobody has set up yet has no label.
  const labels = slots.filter(({ label }) => label !== "");
  const [found, another] = labels.filter(({ label }) => label === token);
  if (found !== undefined && another === undefined) return found.slot;
  const message =
    found === undefined
      ? `there is no token "${token}"; there are: ${labels.map(({ label }) => label).join(", ") || "none"}`
      : `more than one token is called "${token}"`;
  throw signersErrors.error("SIGNER_TOKEN_MISSING", message, { path: module });
}

/** Empty for a token that is being pulled out. */
function labelOf(api: pkcs11js.PKCS11, slot: Buffer): string {
  try {
    return api.C_GetTokenInfo(slot).label.trimEnd();
  } catch {
    return "";
  }
}

function login(api: pkcs11js.PKCS11, session: Buffer, user: number, pin: string): void {
  try {
    api.C_Login(session, user, pin);
  } catch (thrown) {
    // Logging in is for all sessions of a process at once.
    if (!messageOf(thrown).includes("CKR_USER_ALREADY_LOGGED_IN")) throw thrown;
  }
}
