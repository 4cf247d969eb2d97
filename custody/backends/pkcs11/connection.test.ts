import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { signersErrors } from "../../../certs/signers/errors.ts";
import type { Pkcs11Session } from "../../../certs/signers/pkcs11-session.ts";
import { connectPkcs11 } from "./connection.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-connection-"));
const pinFile = join(folder, "pin");
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => writeFileSync(pinFile, "1234"));

const token = { module: "/lib/token.so", token: "acme", pinFile };
const says = (word: string) => new Error(`${word}:5`);

/** A token whose sessions are numbered; `refusal` is what its next login meets. */
function fakeToken() {
  const state = { opened: 0, closed: 0, refusal: undefined as Error | undefined };
  const open = async (): Promise<Pkcs11Session> => {
    state.opened += 1;
    if (state.refusal) throw state.refusal;
    const close = () => {
      state.closed += 1;
    };
    return { close, number: state.opened } as unknown as Pkcs11Session;
  };
  const load = (session: Pkcs11Session) => (session as unknown as { number: number }).number;
  return { state, connection: connectPkcs11({ token, load, open }) };
}

describe("a connection to a token", () => {
  it("opens one session for all that is asked at once", async () => {
    const { state, connection } = fakeToken();
    expect(await Promise.all([1, 2, 3].map(() => connection.run((session) => session)))).toEqual([1, 1, 1]);
    expect(state).toMatchObject({ opened: 1, closed: 0 });
  });

  it.each([
    "CKR_SESSION_HANDLE_INVALID",
    "CKR_SESSION_CLOSED",
    "CKR_USER_NOT_LOGGED_IN",
    "CKR_OBJECT_HANDLE_INVALID",
    "CKR_KEY_HANDLE_INVALID",
    "CKR_DEVICE_REMOVED",
    "CKR_TOKEN_NOT_PRESENT",
    "CKR_CRYPTOKI_NOT_INITIALIZED",
  ])("opens another session once after %s, and closes the lost one", async (word) => {
    const { state, connection } = fakeToken();
    const use = (session: number) => {
      if (session === 1) throw says(word);
      return session;
    };
    expect(await connection.run(use)).toBe(2);
    expect(await connection.run(use)).toBe(2);
    expect(state).toMatchObject({ opened: 2, closed: 1 });
  });

  it("gives up when the second session is lost as well, and starts anew the next time", async () => {
    const { state, connection } = fakeToken();
    const lost = () => {
      throw says("CKR_DEVICE_REMOVED");
    };
    await expect(connection.run(lost)).rejects.toMatchObject({ code: "SIGNER_TOKEN_MISSING" });
    expect(state).toMatchObject({ opened: 2, closed: 2 });
    expect(await connection.run((session) => session)).toBe(3);
  });

  it("does not repeat what another refusal may have done in part, but takes another session after it", async () => {
    const { state, connection } = fakeToken();
    let calls = 0;
    const fails = () => {
      calls += 1;
      throw says("CKR_FUNCTION_FAILED");
    };
    await expect(connection.run(fails)).rejects.toMatchObject({ code: "SIGNER_FAILED" });
    expect(calls).toBe(1);
    expect(state.closed).toBe(1);
    expect(await connection.run((session) => session)).toBe(2);
  });

  it("keeps its session after an error of ours", async () => {
    const { state, connection } = fakeToken();
    const ours = () => {
      throw signersErrors.error("SIGNER_KEY_MISSING", "no such key");
    };
    await expect(connection.run(ours)).rejects.toMatchObject({ code: "SIGNER_KEY_MISSING" });
    expect(await connection.run((session) => session)).toBe(1);
    expect(state.closed).toBe(0);
  });

  it("offers a refused PIN once, and the next one as soon as its file has changed", async () => {
    const { state, connection } = fakeToken();
    state.refusal = signersErrors.error("SIGNER_PIN_WRONG", "wrong");
    for (let tries = 0; tries < 5; tries += 1)
      await expect(connection.run((session) => session)).rejects.toMatchObject({ code: "SIGNER_PIN_WRONG" });
    expect(state.opened).toBe(1);
    state.refusal = undefined;
    writeFileSync(pinFile, "4321");
    expect(await connection.run((session) => session)).toBe(2);
  });

  it.each(["SIGNER_PIN_LOCKED", "SIGNER_TOKEN_MISSING"] as const)("tries again after %s", async (code) => {
    const { state, connection } = fakeToken();
    state.refusal = signersErrors.error(code, "not now");
    await expect(connection.run((session) => session)).rejects.toMatchObject({ code });
    state.refusal = undefined;
    expect(await connection.run((session) => session)).toBe(2);
  });

  it("closes a session that it cannot read", async () => {
    const state = { closed: 0 };
    const close = () => {
      state.closed += 1;
    };
    const open = async () => ({ close }) as unknown as Pkcs11Session;
    const load = () => {
      throw says("CKR_PIN_LOCKED");
    };
    const connection = connectPkcs11({ token, load, open });
    await expect(connection.run(() => 1)).rejects.toMatchObject({ code: "SIGNER_PIN_LOCKED" });
    expect(state.closed).toBe(1);
  });

  it("is closed for good, once its session is", async () => {
    const { state, connection } = fakeToken();
    const running = connection.run((session) => session);
    await connection.close();
    await connection.close();
    expect(await running).toBe(1);
    expect(state.closed).toBe(1);
    await expect(connection.run((session) => session)).rejects.toMatchObject({ code: "CUSTODY_STORE_CLOSED" });
    expect(state.opened).toBe(1);
  });
});
