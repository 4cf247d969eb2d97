import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCrl } from "../../certs/crl.ts";
import { permittedNamespace } from "../../certs/name-constraints.ts";
import { normalSerial } from "../../certs/serial.ts";
import { x509 } from "../../certs/x509.ts";
import { resolveDeployment } from "../../profiles/resolve.ts";
import { makeByCeremony } from "../../stacks/host/ceremony.ts";
import { claimDirs } from "../../stacks/host/claim.ts";
import { layoutOf } from "../../stacks/host/layout.ts";
import { idleSite, mendsNamespace } from "../../stacks/host/rotation/idle-site.ts";
import { rotateAt } from "../../stacks/host/rotation/run-at.ts";
import { TestCeremony } from "../test-ceremony.ts";

/** As the commands of tests have it. */
const clock = (): Date => new Date(0);
const held = new TestCeremony();
const layout = layoutOf(held.dir, tmpdir());
const at = (file: string): string => join(layout.authoritiesDir, file);
const read = (file: string): string => readFileSync(at(file), "utf8");
const namespace = () => permittedNamespace(new x509.X509Certificate(read("services.crt")));
const serial = (pem: string): string => normalSerial(new X509Certificate(pem).serialNumber);
const revoked = () => readCrl(read("crls/root.pem")).revoked.map((each) => each.serial);
const WHAT = "intermediate:services";
const ROTATE = ["certs", "rotate", "--what", WHAT];

const inCluster = (name: string) => {
  const kubernetes = { namespace: name };
  const input = { name: "plant", tenant: "acme", profile: "dev", engine: "kubernetes", kubernetes } as const;
  return { layout, deployment: resolveDeployment(input), clock, actor: "cli:Ada" };
};

beforeAll(async () => {
  writeFileSync(held.file("trustkern.yaml"), "name: plant\ntenant: acme\nprofile: dev\nengine: docker\n");
  claimDirs(layout);
  await makeByCeremony({
    ...{ layout, namespace: "plant-north", clock, versions: {}, acceptP256Root: false },
    deployment: inCluster("plant-north").deployment,
    rootFile: { file: held.file("safe.age"), passphraseFile: held.file("words") },
    ...{ makers: ["acme-instruments"], conductor: "Ada", witnesses: [], onEvent: () => undefined },
  });
}, 120_000);
afterAll(() => held.remove());

describe("authorities that a ceremony made for a cluster", () => {
  test("name its namespace, and are mended for no other rotation than the one of services", () => {
    expect(namespace()).toBe("plant-north");
    expect(mendsNamespace(inCluster("plant-north"), WHAT)).toBe(false);
    expect(mendsNamespace(inCluster("plant-south"), WHAT)).toBe(true);
    for (const what of ["root", "intermediate:gateways", "pin", undefined]) {
      expect(mendsNamespace(inCluster("plant-south"), what)).toBe(false);
    }
  });

  test("are not touched by another rotation while nothing is deployed", async () => {
    const before = read("services.crt");
    for (const what of ["root", "intermediate:gateways"]) {
      expect((await held.json("certs", "rotate", "--what", what)).exit).not.toBe(0);
    }
    expect([read("services.crt"), existsSync(at("root.next.crt"))]).toEqual([before, false]);
  });

  test("lose their namespace on another engine: one authority is replaced, and the old one is revoked", async () => {
    const others = ["root", "gateways", "operators", "makers/acme-instruments"].map((name) => `${name}.crt`);
    const [before, kept] = [read("services.crt"), others.map(read)];
    const { exit, stderr } = await held.run(...ROTATE);
    expect([exit, stderr]).toEqual([0, expect.stringContaining("another namespace or engine")]);
    expect(namespace()).toBeUndefined();
    expect(others.map(read)).toEqual(kept);
    expect(revoked()).toEqual([serial(before)]);
    expect((await held.run("certs", "transcript", "verify")).exit).toBe(0);
    expect((await held.run("certs", "audit", "verify")).exit).toBe(0);
    // Now it is this deployment's, which has to run for another.
    expect(await held.json(...ROTATE)).toMatchObject({ error: { code: "NOT_DEPLOYED" } });
  }, 120_000);

  test("get that of a cluster, and follow one that moves", async () => {
    for (const name of ["plant-south", "plant-west"]) {
      const [before, site] = [read("services.crt"), await idleSite(inCluster(name))];
      await rotateAt(site, {
        ...{ what: WHAT, ceremony: { user: "Ada", versions: {} }, clock, limitSeconds: 30 },
        ...{ signal: new AbortController().signal, onPhase: () => undefined, onWaiting: () => undefined },
      });
      expect(namespace()).toBe(name);
      expect(revoked()).toContain(serial(before));
      expect(mendsNamespace(inCluster(name), WHAT)).toBe(false);
    }
  }, 120_000);
});
