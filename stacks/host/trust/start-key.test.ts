import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAgeSigner } from "../../../certs/signers/software.ts";
import { trustFiles } from "./place.ts";
import { fingerprintOf } from "./signing-key.ts";
import { openStartKey, pinnedStartKey } from "./start-key.ts";
import { type TestHost, testHost } from "./test-host.ts";

let host: TestHost;
let medium: string;
let files: ReturnType<typeof trustFiles>;
beforeEach(() => {
  host = testHost();
  files = trustFiles(host.place.layout);
  medium = mkdtempSync(join(tmpdir(), "tk-medium-"));
});
afterEach(() => {
  host.end();
  rmSync(medium, { recursive: true });
});

/** An age file on a medium, whose passphrase is 256 random bits. */
function onMedium(passphrase = randomBytes(32).toString("hex")) {
  const place = { file: join(medium, "start.age"), passphraseFile: join(medium, "passphrase") };
  writeFileSync(place.passphraseFile, `${passphrase}\n`);
  return place;
}
const pinned = () => fingerprintOf(pinnedStartKey(host.place.layout)!);

describe("the key that signs start manifests", () => {
  it("is made on this host, for its owner alone, and stays the same", async () => {
    await host.deploy();
    const first = pinned();
    await host.deploy();
    expect(pinned()).toBe(first);
    expect(statSync(files.key).mode & 0o777).toBe(0o600);
  });

  it("is not on this host where a medium is named", async () => {
    const place = onMedium();
    await host.deploy(place);
    await host.deploy(place);
    expect(existsSync(files.key)).toBe(false);
    expect(readFileSync(place.file, "utf8")).not.toContain("PRIVATE");
    expect(await host.check()).toMatchObject({ version: 2, findings: [] });
  });

  it("is pinned only with the first manifest", async () => {
    await (await openStartKey(host.place.layout, "here", { pki: pki() })).close();
    expect(existsSync(files.signer)).toBe(false);
  });
});

describe("another key than the one that is pinned is refused, and nothing is signed with it", () => {
  const refused = { code: "START_SIGNER_DIFFERS", exit: 5 };

  it("that somebody has put on this host", async () => {
    await host.deploy(onMedium());
    const manifest = readFileSync(files.manifest);
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(files.key, privateKey.export({ format: "pem", type: "pkcs8" }));
    await expect(host.deploy("here")).rejects.toMatchObject(refused);
    expect(readFileSync(files.manifest)).toEqual(manifest);
  });

  it("of this host, which has none, where the one that is pinned is on a medium", async () => {
    await host.deploy(onMedium());
    await expect(host.deploy("here")).rejects.toMatchObject(refused);
    expect(existsSync(files.key)).toBe(false);
  });

  it("of a medium, where the one that is pinned is on this host", async () => {
    await host.deploy("here");
    const place = onMedium();
    await expect(host.deploy(place)).rejects.toMatchObject({ code: "SIGNER_KEY_MISSING" });
    expect(existsSync(place.file)).toBe(false);
  });
});

describe("a place of the key is refused", () => {
  it("in the state directory, where the medium would be online", async () => {
    const file = host.at("trust/start.age");
    await expect(host.deploy({ ...onMedium(), file })).rejects.toMatchObject({ code: "ROOT_KEY_ONLINE" });
  });

  it("with a weak passphrase", async () => {
    await expect(host.deploy(onMedium("letmein"))).rejects.toMatchObject({ code: "CUSTODY_PASSPHRASE_WEAK" });
    expect(existsSync(join(medium, "start.age"))).toBe(false);
  });

  it("with another passphrase, and that is not told", async () => {
    await host.deploy(onMedium());
    const wrong = randomBytes(32).toString("hex");
    const thrown = await host.deploy(onMedium(wrong)).catch((error: Error) => error);
    expect(thrown).toMatchObject({ code: "SIGNER_PASSPHRASE_WRONG" });
    expect(String(thrown)).not.toContain(wrong);
  });

  it("with a key on another curve, such as a root's", async () => {
    const place = onMedium();
    const passphrase = readFileSync(place.passphraseFile, "utf8").trim();
    await createAgeSigner({ file: place.file, passphrase, workFactor: 10 }, "P-384");
    await expect(host.deploy(place)).rejects.toMatchObject({ code: "SIGNER_CURVE_UNSUPPORTED" });
    expect(existsSync(files.signer)).toBe(false);
  });

  it("beside a root's key that is in an age file", async () => {
    await expect(host.deploy("root-device")).rejects.toMatchObject({ code: "ROOT_KEY_ELSEWHERE" });
  });

  it.each([
    "",
    "no PEM",
    generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey.export({ format: "pem", type: "spki" }),
  ])("where what is pinned is no key on P-256", async (pin) => {
    await host.deploy();
    writeFileSync(files.signer, pin);
    await expect(host.deploy()).rejects.toMatchObject({ code: "STATE_CORRUPT" });
    await expect(host.check()).rejects.toMatchObject({ code: "STATE_CORRUPT" });
  });
});

function pki() {
  return { root: { kind: "age" }, issuing: { kind: "file" } } as const;
}
