import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { describeKeyStore } from "../../custody/backends/contract/key-store-contract.ts";
import { opened, PLAINTEXT, seal } from "../../custody/backends/contract/key-store-samples.ts";
import { openKeyStore } from "../../custody/backends/index.ts";
import type { KeyStore } from "../../custody/backends/key-store.ts";
import { openPkcs11Store } from "../../custody/backends/pkcs11.ts";
import { serveToken } from "../../services/custody/token-server.ts";
import { SOFTHSM, SoftToken } from "./signers/soft-token.ts";

const soft = new SoftToken();
const socket = join(soft.folder, "server");
let stops: (() => Promise<void>)[] = [];
let made = 0;
afterEach(async () => {
  for (const stop of stops) await stop();
  stops = [];
});
afterAll(() => soft.remove());

/** A token server as its command starts one, and the way to end it. */
async function serve(wrap = (store: KeyStore): KeyStore => store) {
  const place = { module: SOFTHSM, token: soft.token, pinFile: soft.pinFile, keyPrefix: `served-${made}` };
  const store = await openPkcs11Store({ kind: "pkcs11", ...place });
  const refused: unknown[] = [];
  const close = await serveToken({ store: wrap(store), socket, onRefused: (thrown) => refused.push(thrown) });
  const stop = async (): Promise<void> => {
    await close();
    await store.close();
  };
  stops.push(stop);
  return { stop, refused };
}
const connect = (): Promise<KeyStore> => openKeyStore({ kind: "pkcs11", server: socket });

/** The server of the store before is ended by then: each opening is a start of both. */
async function started(): Promise<KeyStore> {
  for (const stop of stops.splice(0)) await stop();
  await serve();
  return connect();
}

describeKeyStore("PKCS #11 by a token server", {
  create: () => {
    made += 1;
    return started();
  },
  reopen: started,
});

describe("a key store by a token server", () => {
  const away = { code: "CUSTODY_STORE_UNREACHABLE", exit: 4 };

  it("says what the token is, and that keys are used there", async () => {
    made += 1;
    await serve();
    const { facts, close } = await connect();
    expect(facts).toMatchObject({ kind: "pkcs11", custodyClass: "software", keysInUse: "on-device" });
    expect(facts.where).toBe(`pkcs11:token=${soft.token};prefix=served-${made}`);
    await close();
  });

  it("is away without its server, and opens by itself once that is back", async () => {
    made += 1;
    await expect(connect()).rejects.toMatchObject(away);
    const { stop } = await serve();
    const store = await connect();
    const key = await store.generate();
    await stop();
    const { enc, ciphertext } = seal(key.publicKey);
    await expect(store.decapsulate(key.keyId, [enc])).rejects.toMatchObject(away);
    await expect(store.list()).rejects.toMatchObject(away);
    await serve();
    await expect.poll(() => store.list().catch(() => []), { timeout: 5_000 }).toEqual([key]);
    expect(await opened(store, key.keyId, enc, ciphertext)).toEqual(PLAINTEXT);
    await store.close();
  });

  it("throws what the token's own store would, with its code, its exit code and its fix", async () => {
    made += 1;
    const { refused } = await serve();
    const store = await connect();
    const thrown = { code: "CUSTODY_KEY_MISSING", exit: 6, fix: expect.stringContaining("escrow") };
    await expect(store.decapsulate("00".repeat(8), [Buffer.alloc(32, 9)])).rejects.toMatchObject(thrown);
    expect(refused).toMatchObject([{ code: "CUSTODY_KEY_MISSING" }]);
    await store.close();
  });

  it("refuses more at once than a batch can have", async () => {
    made += 1;
    await serve();
    const store = await connect();
    const { keyId } = await store.generate();
    const many = Array<Uint8Array>(1_025).fill(Buffer.alloc(32, 9));
    await expect(store.decapsulate(keyId, many)).rejects.toMatchObject({ code: "CUSTODY_STORE_SERVICE_FAILED" });
    expect(await store.decapsulate(keyId, many.slice(1))).toHaveLength(1_024);
    await store.close();
  });

  it.each([
    ["fewer secrets than were asked for", [Buffer.alloc(32, 1)]],
    ["a secret of another length", [Buffer.alloc(32, 1), Buffer.alloc(31, 1)]],
  ])("takes no answer with %s", async (_, answer) => {
    made += 1;
    await serve((store) => ({ ...store, decapsulate: async () => answer }));
    const store = await connect();
    const two = [Buffer.alloc(32, 9), Buffer.alloc(32, 8)];
    await expect(store.decapsulate("00".repeat(8), two)).rejects.toMatchObject({
      code: "CUSTODY_STORE_SERVICE_FAILED",
    });
    await store.close();
  });

  it.each([
    [
      "class of the token",
      (store: KeyStore) => ({ ...store, facts: { ...store.facts, custodyClass: "best" as never } }),
    ],
    ["signer", (store: KeyStore) => ({ ...store, signer: { ...store.signer, publicKeySpki: Buffer.from("none") } })],
  ])("opens nothing with an unknown %s", async (_, wrap) => {
    made += 1;
    await serve(wrap);
    await expect(connect()).rejects.toMatchObject({ code: expect.stringMatching(/SERVICE_FAILED|CURVE_UNSUPPORTED/) });
  });

  it("has one server at a socket", async () => {
    made += 1;
    await serve();
    await expect(serve()).rejects.toMatchObject({ code: "CONTROL_SOCKET_IN_USE" });
  });
});
