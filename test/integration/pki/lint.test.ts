import { afterAll, describe, expect, test } from "vitest";
import { issueCrl } from "../../../certs/crl.ts";
import { x509 } from "../../../certs/x509.ts";
import { scratch } from "../../support/deployment.ts";
import { deviceOf, leafOf, makeAuthorities } from "./authorities.ts";
import { documentsBelow, documentsOf } from "./documents.ts";
import { findings, NOT_CRITICAL } from "./findings.ts";
import { clientLeaf, forge } from "./forge.ts";
import { forgeCrl } from "./forge-crl.ts";
import { aboveNotice, pkilint } from "./pkilint/pkilint.ts";
import { fillStore } from "./store.ts";
import { refused } from "./strict.ts";
import { verdict } from "./verdict.ts";

const { dir, remove } = scratch("lint");
afterAll(remove);

describe("pkilint and openssl's strict rules take every certificate and list", () => {
  // The other profiles have their authorities from a ceremony: `ceremony-lint.test.ts`.
  test.each(["embedded", "docker"] as const)("of a deployment of profile dev on engine %s", async (engine) => {
    const folder = `${dir}/${engine}`;
    await fillStore(folder, "dev", engine);
    const documents = documentsBelow(folder);
    const subjects = documents.certificates.map(({ name }) => name).join("\n");
    for (const expected of [
      "TrustKern root",
      "TrustKern services",
      "TrustKern gateways",
      "TrustKern operators",
      "svc-broker",
      "svc-backend",
      "gw-01",
    ])
      expect(subjects).toContain(expected);
    expect(await findings(documents)).toEqual([]);
    // Mosquitto's guard has one certificate that is revoked on purpose.
    const probe = expect.stringMatching(/CN=svc-probe-revoked: [\s\S]*: certificate revoked/);
    expect(await refused(documents)).toEqual(engine === "docker" ? [probe] : []);
  });

  test("of each class, of a maker and of its devices, with empty lists and with full ones", async () => {
    const authorities = await makeAuthorities("acme");
    const { root, issuers, maker } = authorities;
    const leaves = await Promise.all([
      ...["gw-01", "svc-broker", "op-admin"].map((name) => leafOf(authorities, name)),
      deviceOf(authorities),
    ]);
    const signers = [root, ...Object.values(issuers), maker];
    const now = new Date();
    const revoked = (["keyCompromise", "superseded", "cessationOfOperation", "unspecified"] as const).map(
      (reason, n) => ({
        serial: `${n + 1}abcdef`,
        at: now,
        reason,
      }),
    );
    const lists = await Promise.all(
      signers.flatMap((each) => [
        issueCrl(each, { number: 1n, revoked: [], now }),
        issueCrl(each, { number: 2n ** 53n - 1n, revoked, now }),
      ]),
    );
    const texts = [...signers, ...leaves].map(({ certPem }, n) => ({ name: `class ${n}`, text: certPem }));
    const documents = documentsOf([...texts, ...lists.map(({ pem }, n) => ({ name: `list ${n}`, text: pem }))]);
    expect(documents.certificates).toHaveLength(9);
    expect(documents.crls).toHaveLength(10);
    expect(await findings(documents)).toEqual([]);
    expect(await refused(documents)).toEqual([]);
  });
});

describe("pkilint and openssl find what they are asked for", () => {
  const subject = [{ O: ["acme"] }, { OU: ["gateways"] }, { CN: ["gw-01"] }];
  const lint = async (text: string) =>
    aboveNotice(await pkilint(documentsOf([{ name: "wrong", text }]).certificates)).map(({ code }) => code);

  test("a single-label DNS name, and a leaf that may sign certificates", async () => {
    const { issuers } = await makeAuthorities("acme");
    const single = clientLeaf([{ type: "dns", value: "gw-01" }]);
    const signing = clientLeaf([], undefined, x509.KeyUsageFlags.keyCertSign);
    const [one, other] = await Promise.all(
      [single, signing].map((extensions) => forge({ issuer: issuers.gateways, subject, extensions, chain: "" })),
    );
    expect(await lint(one?.certPem ?? "")).toEqual(["pkix.invalid_domain_name_syntax"]);
    expect(await lint(other?.certPem ?? "")).not.toEqual([]);
  });

  test("constraints that are not critical, which the decision is about, on every authority below the root", async () => {
    const { root, issuers, maker } = await makeAuthorities("acme");
    const below = [...Object.values(issuers), maker].map(({ certPem }) => certPem);
    expect(await lint([root.certPem, ...below].join(""))).toEqual(below.map(() => NOT_CRITICAL));
  });

  test("a list that is revoked, out of date, missing, or another issuer's", async () => {
    const authorities = await makeAuthorities("acme");
    const { root, issuers } = authorities;
    const leaf = await leafOf(authorities, "gw-01");
    const held = async (...lists: Promise<string>[]) =>
      verdict(leaf.certPem, { rootPem: root.certPem, crls: await Promise.all(lists) });
    const empty = forgeCrl(root);
    expect(await held(empty, forgeCrl(issuers.gateways))).toBe("OK");
    expect(await held(empty, forgeCrl(issuers.gateways, [leaf]))).toContain("certificate revoked");
    expect(await held(empty, forgeCrl(issuers.gateways, [], -1))).toContain("CRL has expired");
    expect(await held(empty, forgeCrl(issuers.services))).toContain("unable to get certificate CRL");
    expect(await held(forgeCrl(root, [issuers.gateways]), forgeCrl(issuers.gateways))).toContain("certificate revoked");
  });
});
