import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { verifyTranscript } from "../../certs/ceremony/transcript.ts";
import { loadSigner } from "../../certs/signers/index.ts";
import { verifyChain } from "../../certs/verify-chain.ts";
import type { Deployment, Pkcs11Token } from "../../model/deployment.ts";
import { authoritiesInUse } from "../../stacks/host/authorities-in-use.ts";
import { ModelFleet } from "../../stacks/host/rotation/model-fleet.ts";
import { rotationOf } from "../../stacks/host/rotation/rotations.ts";
import type { RotationTarget } from "../../stacks/host/rotation/target.ts";
import { SOFTHSM, SoftToken } from "./signers/soft-token.ts";

const EVERYBODY = ["broker", "backend", "collector", "gw-01"];
const MOST_STEPS = 200;
const TARGETS: readonly RotationTarget[] = [
  { kind: "root" },
  { kind: "intermediate", leafClass: "services" },
  { kind: "intermediate", leafClass: "gateways" },
];

const soft = new SoftToken();
afterAll(() => soft.remove());
let prefixes = 0;
const token = (): Pkcs11Token => {
  prefixes += 1;
  return {
    ...{ kind: "pkcs11", module: SOFTHSM, token: soft.token, pinFile: soft.pinFile },
    keyPrefix: `plant${prefixes}`,
  };
};

/** Where keys are, and how many steps lie between two deaths: a token takes its time for each of its keys. */
const CASES: readonly (readonly [string, () => Deployment["pki"], number])[] = [
  [
    "the root in an age file and issuing keys on a PKCS #11 token",
    () => ({ root: { kind: "age" }, issuing: token() }),
    1,
  ],
  [
    "root and issuing keys on a PKCS #11 token",
    () => {
      const device = token();
      return { root: device, issuing: device };
    },
    7,
  ],
];

const rotate = (fleet: ModelFleet, target: RotationTarget) => fleet.rotate((context) => rotationOf(target, context));
const read = (fleet: ModelFleet, file: string): string => readFileSync(join(fleet.authoritiesDir, file), "utf8");

/** What is not as a rotation that is done leaves it. */
async function wrongWith(fleet: ModelFleet): Promise<readonly unknown[]> {
  const names = authoritiesInUse(fleet.authoritiesDir);
  const certificates = Object.fromEntries(names.map(({ id, name }) => [id, read(fleet, `${name}.crt`)]));
  const jws = read(fleet, "transcript.jws").trim();
  const transcript = await verifyTranscript({ jws, rootPem: read(fleet, "root.crt"), certificates });
  const keys = readdirSync(fleet.authoritiesDir, { recursive: true }).filter((file) =>
    /\.(?:key|age)$/.test(String(file)),
  );
  const online = keys.filter((file) => !["audit.key", "broker.next.key"].includes(String(file)));
  return [...fleet.violations, ...(await fleet.loose()), ...transcript, ...online];
}

describe.each(CASES)("with %s,", (_, pki, stride) => {
  let first: ModelFleet;
  const fleets: ModelFleet[] = [];
  beforeAll(async () => {
    first = await ModelFleet.make(pki());
  });
  afterAll(() => first.remove());
  afterEach(() => {
    for (const fleet of fleets.splice(0)) fleet.remove();
  });
  const make = (): ModelFleet => {
    const fleet = ModelFleet.copyOf(first);
    fleets.push(fleet);
    return fleet;
  };

  it.each(TARGETS)(
    "a rotation of %o that dies, step after step, is finished by the next run",
    {
      timeout: 900_000,
    },
    async (target) => {
      for (let killAt = 1; killAt < MOST_STEPS; killAt += stride) {
        const fleet = make();
        fleet.readers = (step) => (step % 2 === killAt % 2 ? [EVERYBODY[(step + killAt) % 4] ?? ""] : []);
        const died = await fleet.rotateDespite((context) => rotationOf(target, context), killAt);
        expect([killAt, ...(await wrongWith(fleet))]).toEqual([killAt]);
        if (!died) return expect(killAt).toBeGreaterThan(5);
      }
      throw new RangeError(`a rotation has more than ${MOST_STEPS} steps`);
    },
  );

  it("leaves chain to the new root by the new issuing keys, and openssl says so too", async () => {
    const fleet = make();
    for (const target of TARGETS) await rotate(fleet, target);
    const chainPem = readFileSync(fleet.secretFile("backend", "tls.crt"), "utf8");
    const rootPem = read(fleet, "root.crt");
    const at = new Date("2026-11-21T08:00:00Z");
    expect(verifyChain({ chainPem, rootPem, at, purpose: "client" })).toEqual([]);
    const files = ["root.crt", "services.crt"].map((file) => join(fleet.authoritiesDir, file));
    const [root = "", services = ""] = files;
    const said = execFileSync("openssl", [
      ...["verify", "-x509_strict", "-attime", String(at.getTime() / 1000), "-CAfile", root],
      ...["-untrusted", services, fleet.secretFile("backend", "tls.crt")],
    ]);
    expect(said.toString()).toContain("OK");
    expect(await wrongWith(fleet)).toEqual([]);
  });

  it("the keys before are still on the token: nothing but their owner takes them away", async () => {
    const fleet = make();
    const memo = await rotate(fleet, { kind: "intermediate", leafClass: "operators" });
    expect(memo.oldKey).toMatch(/^pkcs11:token=trustkern-test;object=plant\d+-operators$/);
    const label = memo.oldKey?.split("object=")[1] ?? "";
    for (const each of [label, `${label}-2`]) {
      const signer = await loadSigner({ kind: "pkcs11", ...soft.key(each) });
      expect(signer.where).toContain(each);
      await signer.close();
    }
  });

  it("a token that is taken away in the middle of it stops it, and it goes on when the token is back", async () => {
    const fleet = make();
    const place = JSON.parse(read(fleet, "services.key.json")) as { readonly pinFile: string };
    renameSync(place.pinFile, `${place.pinFile}.away`);
    try {
      await expect(rotate(fleet, { kind: "intermediate", leafClass: "services" })).rejects.toMatchObject({
        code: expect.stringMatching(/^(?:SIGNER_|ROOT_KEY_)/),
      });
      expect(existsSync(join(fleet.authoritiesDir, "services.next.crt"))).toBe(false);
    } finally {
      renameSync(`${place.pinFile}.away`, place.pinFile);
    }
    await rotate(fleet, { kind: "intermediate", leafClass: "services" });
    expect(await wrongWith(fleet)).toEqual([]);
  });
});
