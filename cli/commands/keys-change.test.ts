import { hash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { rawKey, rawPublic } from "../../custody/backends/contract/key-store-samples.ts";
import { sealGenerationPackage } from "../../custody/package.ts";
import { type TestKeys, testKeys } from "../../services/custody/test-keys.ts";
import { type Layout, layoutOf } from "../../stacks/host/layout.ts";
import { runCli } from "../test-io.ts";
import { serveManagement } from "../test-management.ts";

vi.mock("./certs-context.ts", () => ({ certsSite: async () => ({ layout, clock: () => new Date("2026-06-01") }) }));

let cwd: string;
let layout: Layout;
let keys: TestKeys;
let closeCustody: () => Promise<void>;

const run = (...argv: string[]) => runCli(["keys", ...argv], { cwd });
const refusal = async (...argv: string[]) => JSON.parse((await run(...argv, "--json")).stdout).error;
const REASON = ["--reason", "a copy was found"];

beforeEach(async () => {
  cwd = mkdtempSync(join(tmpdir(), "tk-c-"));
  layout = layoutOf(join(cwd, ".trustkern"), tmpdir());
  mkdirSync(layout.dir, { recursive: true });
  keys = testKeys();
  await keys.custodian.unseal("op-anna");
  closeCustody = await serveManagement(cwd, keys);
});
afterEach(async () => {
  await closeCustody();
  rmSync(cwd, { recursive: true });
});

describe("a change of generations", () => {
  it.each([
    ["destroy", ["destroy", "zzz"]],
    ["compromise", ["compromise", "zzz", ...REASON]],
  ])("is refused before anybody is asked: %s of an unknown one", async (_, argv) => {
    expect(await refusal(...argv)).toMatchObject({ code: "CUSTODY_GENERATION_UNKNOWN" });
  });

  it("is refused before anybody is asked: what may not be destroyed now", async () => {
    expect(await refusal("destroy", keys.generation.keyId)).toMatchObject({ code: "KEYS_IN_USE" });
    expect(await refusal("destroy", keys.generation.keyId, "--dry-run")).toMatchObject({ code: "KEYS_IN_USE" });
  });

  it("is refused with the name of a file that is no package", async () => {
    writeFileSync(join(cwd, "notes.yaml"), "name: demo\n");
    const { code, message, path } = await refusal("import", "notes.yaml");
    expect([code, path]).toEqual(["CUSTODY_PACKAGE_MALFORMED", "notes.yaml"]);
    expect(message).toBe('"notes.yaml" is no generation package: it is no JSON');
  });

  it("is refused for a package that nobody has compared with its ceremony's transcript", async () => {
    const metadata = { tenant: "acme", createdAt: new Date().toISOString() };
    const sealed = sealGenerationPackage({ importKey: rawPublic(), privateKey: rawKey(), metadata });
    writeFileSync(join(cwd, "package.json"), sealed);
    const digest = hash("sha256", sealed);
    const refused = async (...more: string[]) => (await refusal("import", "package.json", ...more)).code;
    expect(await refused("--sha256", "00".repeat(32))).toBe("KEYS_PACKAGE_DIFFERS");
    expect(await refused("--sha256", digest.slice(1))).toBe("CLI_USAGE");
    expect(await refused("--yes")).toBe("CONFIRMATION_NEEDED");
    // Compared, it is refused for what custody says of it.
    expect(await refused("--sha256", `${digest.slice(0, 32)} ${digest.slice(32).toUpperCase()}`)).toMatch(/^CUSTODY_/);
    expect(keys.asked).toEqual([]);
  });

  it("is refused for an overlap that is longer than the schedule's", async () => {
    expect(await refusal("rotate", "--overlap", "999d")).toMatchObject({ code: "KEYS_OVERLAP_LONG" });
  });

  it("says with --dry-run what a compromise would do, asks nobody, and changes nothing", async () => {
    const argv = ["compromise", keys.generation.keyId, ...REASON, "--stored", "block", "--dry-run"];
    const { exit, stdout } = await run(...argv);
    expect([exit, keys.asked]).toEqual([0, []]);
    expect(stdout).toMatch(/closed for good.*destroyed by the next trustkern keys rotate --due/);
  });

  it("says what is destroyed early before it blocks what is stored, and not otherwise", async () => {
    const asked = (...argv: string[]) => refusal("compromise", keys.generation.keyId, ...REASON, ...argv);
    const early = "destroyed by the next trustkern keys rotate --due, without waiting for retention";
    expect(await asked("--stored", "block")).toMatchObject({
      code: "CONFIRMATION_NEEDED",
      message: expect.stringContaining(early),
    });
    expect((await asked()).message).not.toContain(early);
    expect(keys.asked).toEqual([]);
  });

  it("says that the shares of a ceremony outlive what it destroys", async () => {
    const compromised = { at: "2026-02-01T00:00:00.000Z", reason: "lost", stored: "block" };
    Object.assign(keys.generation, { state: "retired", origin: "ceremony", compromised });
    const { keyId } = keys.generation;
    expect((await refusal("destroy", keyId)).message).toMatch(/shares still restore/);
    expect((await run("destroy", keyId, "--dry-run")).stdout).toMatch(/would be destroyed\n.*shares still restore/);
    expect(keys.asked).toEqual([]);
    expect((await run("destroy", keyId, "--yes")).stdout).toMatch(/is destroyed\n.*escrow file/);
    expect(keys.asked).toEqual([`destroy ${keyId} by cli:somebody`]);
  });
});

const EACH = [
  ["rotate", ["rotate", "--yes"]],
  ["rotate --dry-run", ["rotate", "--dry-run"]],
  ["destroy", ["destroy", "00".repeat(8), "--yes"]],
  ["compromise", ["compromise", "00".repeat(8), "--yes", ...REASON]],
] as const;

describe.each(EACH)("keys %s", (_, argv) => {
  it("says of a sealed custody why it is sealed, and what unseals it", async () => {
    await keys.custodian.seal("op-anna", "holidays");
    expect(await refusal(...argv)).toMatchObject({
      code: "CUSTODY_SEALED",
      message: "custody is sealed, and holds no key: somebody has sealed it",
      fix: expect.stringContaining("trustkern keys unseal"),
    });
  });

  it("says of a custody that does not run how it is brought up", async () => {
    await closeCustody();
    const { code, message, fix } = await refusal(...argv);
    expect([code, message]).toEqual([
      "GRPC_UNREACHABLE",
      "custody does not run: nobody answers at its management socket",
    ]);
    expect(fix).toMatch(/trustkern up.*trustkern deploy.*trustkern status/);
    closeCustody = async () => undefined;
  });
});
