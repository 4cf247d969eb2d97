import { beforeAll, describe, expect, test } from "vitest";
import { type DeploymentCertificates, issueDeploymentCertificates } from "./deployment.ts";
import { verifyChain } from "./verify-chain.ts";

const at = new Date("2026-11-21T08:00:00Z");
const request = {
  tenant: "acme",
  clock: () => at,
  services: [{ name: "svc-broker" }],
  gateways: ["gw-01"],
  operators: [],
};
let made: DeploymentCertificates;
let other: DeploymentCertificates;
beforeAll(async () => {
  made = await issueDeploymentCertificates(request);
  other = await issueDeploymentCertificates(request);
});

const BEGIN = "-----BEGIN";
const leafOf = (from: DeploymentCertificates, index: number): string => from.leaves[index]!.certPem;
const onlyLeaf = (chainPem: string): string => BEGIN + chainPem.split(BEGIN)[1];
const codes = (chainPem: string, rest: Partial<Parameters<typeof verifyChain>[0]> = {}): string[] =>
  verifyChain({ chainPem, rootPem: made.root.certPem, at, purpose: "client", ...rest }).map(({ code }) => code);

describe("verifyChain finds", () => {
  test("nothing wrong with a good chain", () => {
    expect(codes(leafOf(made, 0))).toEqual([]);
  });

  test("a chain of another root, although the names are the same", () => {
    expect(codes(leafOf(other, 0))).toEqual(["CHAIN_SIGNATURE"]);
  });

  test("a leaf under an intermediate that did not sign it, although the names are the same", () => {
    expect(codes(onlyLeaf(leafOf(made, 0)) + other.intermediates.services.certPem)).toEqual([
      "CHAIN_SIGNATURE",
      "CHAIN_SIGNATURE",
    ]);
  });

  test("a leaf under the intermediate of another class", () => {
    expect(codes(onlyLeaf(leafOf(made, 1)) + made.intermediates.services.certPem)).toContain("CHAIN_NAMES");
  });

  test("an authority in the place of a leaf", () => {
    expect(codes(made.intermediates.services.certPem + made.root.certPem)).toContain("CHAIN_AUTHORITY");
  });

  test("a leaf in the place of an authority", () => {
    expect(codes(onlyLeaf(leafOf(made, 0)) + onlyLeaf(leafOf(made, 1)))).toContain("CHAIN_AUTHORITY");
  });

  test("every certificate that is out of date, each by its path", () => {
    const late = new Date("2050-01-01T00:00:00Z");
    const findings = verifyChain({
      chainPem: leafOf(made, 0),
      rootPem: made.root.certPem,
      at: late,
      purpose: "client",
    });
    expect(findings.map(({ code, path }) => [code, path])).toEqual([
      ["CHAIN_DATES", "leaf"],
      ["CHAIN_DATES", "intermediate"],
      ["CHAIN_DATES", "root"],
    ]);
  });

  test("a host that the leaf does not carry, its common name included", () => {
    for (const host of ["10.0.0.1", "svc-broker", "evil.acme.trustkern.internal"]) {
      expect(codes(leafOf(made, 0), { host, purpose: "server" })).toEqual(["CHAIN_HOST"]);
    }
  });

  test.each(["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])(
    "what is no chain: %j",
    (text) => {
      expect(codes(text)).toEqual(["CHAIN_FORM"]);
    },
  );

  test("a leaf alone, and a chain with one certificate too many", () => {
    expect(codes(onlyLeaf(leafOf(made, 0)))).toEqual(["CHAIN_FORM"]);
    expect(codes(leafOf(made, 0) + made.root.certPem)).toEqual(["CHAIN_FORM"]);
  });
});
