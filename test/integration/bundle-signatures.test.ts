import { createPublicKey } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decideTrust } from "../../operations/bundle/trust/decide.ts";
import { payloadOf } from "../../operations/bundle/trust/envelope.ts";
import { signBundle } from "../../operations/bundle/trust/sign-bundle.ts";
import { makeBundleKey, openBundleKey } from "../../operations/bundle/trust/signer-keys.ts";
import { parseSlot } from "../../operations/bundle/trust/slot.ts";
import {
  head,
  MADE_AT,
  people,
  question,
  rootFacts,
  scratch,
  signedRoot,
} from "../../operations/bundle/trust/test-trust.ts";
import { defaultCacheDir } from "../../operations/tools/context.ts";
import { ensureTool } from "../../operations/tools/ensure-tool.ts";
import { preAuthenticationEncoding } from "../../protocol/dsse.ts";
import { PROJECT } from "../support/deployment.ts";
import { runProgram } from "../support/run.ts";
import { SOFTHSM, SoftToken } from "./signers/soft-token.ts";

const COLD_MS = 900_000;
const place = scratch();
afterAll(() => place[Symbol.dispose]());

describe("a bundle that is signed on a token", () => {
  const token = new SoftToken();
  afterAll(() => token.remove());
  const uri = (object: string) =>
    `pkcs11:token=${token.token};object=${object}?module-path=${SOFTHSM}&pin-source=file:${token.pinFile}`;
  const at = (object: string) => ({ place: uri(object), passphraseFile: undefined });

  it("counts, and the token has no other key by that name", async () => {
    const anna = await makeBundleKey(at("anna"), place.folder);
    await anna.close();
    await expect(makeBundleKey(at("anna"), place.folder)).rejects.toMatchObject({ code: "SIGNER_KEY_EXISTS" });
    await expect(openBundleKey(at("bert"), place.folder)).rejects.toMatchObject({ code: "SIGNER_KEY_MISSING" });
    const opened = await openBundleKey(at("anna"), place.folder);
    const { root } = await people("root");
    const first = await signedRoot(rootFacts({ anna: opened }, { root }), root);
    const job = { ...head(), roots: [first], folder: place.in("token"), now: MADE_AT };
    const { slot } = await signBundle(job, [opened]);
    await opened.close();
    expect(decideTrust(question({ ...head(), slot, siteRoot: first })).signers).toMatchObject([{ name: "anna" }]);
  });
});

describe("cosign", () => {
  let program = "";
  beforeAll(async () => {
    const [cacheDir, toolsDir] = [defaultCacheDir(process.env, homedir()), join(PROJECT, "tools")];
    const tools = {
      cacheDir,
      toolsDir,
      env: process.env,
      signal: AbortSignal.timeout(COLD_MS),
      onProgress: () => undefined,
    };
    program = await ensureTool(tools, "cosign");
  }, COLD_MS);

  it("verifies a signature as the guide says, and not by another key or over another statement", async () => {
    const guide = readFileSync(join(PROJECT, "docs/guides/bundle-trust.md"), "utf8");
    const line = /^cosign (verify-blob --key anna\.pub .*)$/m.exec(guide)?.[1] ?? "";
    const { anna, root } = await people("anna", "root");
    const first = await signedRoot(rootFacts({ anna }, { root }), root);
    const { slot } = await signBundle({ ...head(), roots: [first], folder: place.in("c"), now: MADE_AT }, [anna]);
    const { statement } = parseSlot(slot);
    const pem = (key: Buffer) =>
      createPublicKey({ key, format: "der", type: "spki" }).export({ format: "pem", type: "spki" });
    const cosign = () => runProgram(program, line.split(" "), { cwd: place.folder, env: { HOME: place.folder } });
    writeFileSync(place.in("signed.bin"), preAuthenticationEncoding(statement.payloadType, payloadOf(statement)));
    writeFileSync(place.in("statement.sig.b64"), statement.signatures[0]?.sig ?? "");
    writeFileSync(place.in("anna.pub"), pem(anna.publicKeySpki));
    expect((await cosign()).code).toBe(0);
    writeFileSync(place.in("anna.pub"), pem(root.publicKeySpki));
    expect((await cosign()).code).not.toBe(0);
    writeFileSync(place.in("anna.pub"), pem(anna.publicKeySpki));
    writeFileSync(place.in("signed.bin"), "DSSEv1 another");
    expect((await cosign()).code).not.toBe(0);
  });
});
