import { createHash } from "node:crypto";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { Authority } from "./authority.ts";
import { issueIntermediate } from "./classes/intermediate.ts";
import { issueServiceLeaf } from "./classes/leaf-service.ts";
import { issueRoot } from "./classes/root.ts";
import { assertNamespace, isServiceDnsName, namespaceDomain, namespaceIn, serviceDnsName } from "./cluster-names.ts";
import { issue } from "./issue.ts";
import { leafExtensions } from "./leaf.ts";
import { nameConstraints, permittedNamespace } from "./name-constraints.ts";
import { LEAF_CLASSES, type LeafClass } from "./names.ts";
import { leafSubject } from "./subject.ts";
import { opensslVerify } from "./test-openssl.ts";
import { verifyChain } from "./verify-chain.ts";
import { x509 } from "./x509.ts";

const now = new Date("2026-11-21T08:00:00Z");
const NAMESPACE = "tk-plant";
const { serverAuth } = x509.ExtendedKeyUsage;
let root: Authority;
let cluster: Readonly<Record<LeafClass, Authority>>;
let elsewhere: Authority;

const authority = async (leafClass: LeafClass, namespace?: string): Promise<Authority> =>
  (await issueIntermediate(root, { leafClass, now, namespace })).authority;

beforeAll(async () => {
  root = (await issueRoot({ tenant: "acme", now })).authority;
  cluster = {
    services: await authority("services", NAMESPACE),
    gateways: await authority("gateways", NAMESPACE),
    operators: await authority("operators", NAMESPACE),
  };
  elsewhere = await authority("services");
});

/** What whoever has an authority's key can sign: what OpenSSL and we say of a server's leaf with these names. */
async function judged(issuer: Authority, leafClass: LeafClass, names: readonly string[]) {
  const prefix = { services: "svc-backend", gateways: "gw-01", operators: "op-a" }[leafClass];
  const { certPem } = await issue(
    {
      ...{ tenant: "acme", now, name: "forged", subject: leafSubject(leafClass, "acme", prefix) },
      validity: { notBefore: now, notAfter: new Date(now.getTime() + 86_400_000) },
      extensions: [
        ...leafExtensions([serverAuth]),
        new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns", value }))),
      ],
    },
    issuer,
  );
  const of = { rootPem: root.certPem, at: now };
  const findings = verifyChain({ ...of, chainPem: certPem + issuer.certPem, purpose: "server" });
  return {
    openssl: opensslVerify({ ...of, certPem, issuerPem: issuer.certPem, purpose: "sslserver" }),
    ours: findings.map(({ code, reason }) => `${code} ${reason}`),
    said: findings.map(({ message }) => message).join(),
  };
}

const OWN = ["backend.acme.trustkern.internal", `backend.${NAMESPACE}.svc`];
const VIOLATION = /permitted subtree violation|excluded subtree violation/;

describe("the authority of services of a cluster", () => {
  it("issues leaves with the Service's name beside their own, which OpenSSL and we accept", async () => {
    const { certPem } = await issueServiceLeaf(cluster.services, { name: "svc-backend", now });
    const names = new x509.X509Certificate(certPem).getExtension(x509.SubjectAlternativeNameExtension)?.names.items;
    expect(names?.map(({ value }) => value)).toEqual(OWN);
    for (const host of OWN) {
      expect(verifyChain({ chainPem: certPem, rootPem: root.certPem, at: now, purpose: "server", host })).toEqual([]);
    }
    const { openssl, ours } = await judged(cluster.services, "services", OWN);
    expect([openssl, ours]).toEqual(["OK", []]);
  });

  it.each([
    ["another namespace's", "backend.tk-other.svc"],
    ["the API server's", "kubernetes.default.svc"],
    ["a Service's of no namespace", "backend.svc"],
    ["of all Services", "svc.svc"],
    ["a namespace's that ends alike", "backend.xtk-plant.svc"],
    ["the cluster's own domain's", `backend.${NAMESPACE}.svc.cluster.local`],
    ["somebody's who begins alike", `backend.${NAMESPACE}.svc.example.org`],
    ["a gateway's", "gw-01.gateways.acme.trustkern.internal"],
    ["another tenant's", "backend.other.trustkern.internal"],
  ])("cannot sign %s name: OpenSSL and we refuse it, also beside its own", async (_, name) => {
    for (const names of [[name], [...OWN, name]]) {
      const { openssl, ours, said } = await judged(cluster.services, "services", names);
      expect(openssl).toMatch(VIOLATION);
      expect(ours).toContain("CHAIN_NAMES name-not-allowed");
      expect(said).toContain(`and one label before .${NAMESPACE}.svc`);
    }
    await expect(
      issueServiceLeaf(cluster.services, { name: "svc-backend", now, dnsNames: [name] }),
    ).rejects.toMatchObject({ code: "CERT_NAME_INVALID" });
  });

  it.each([
    ["the namespace's own name", `${NAMESPACE}.svc`],
    ["a single pod's name", `backend-0.backend.${NAMESPACE}.svc`],
    ["every Service's name", `*.${NAMESPACE}.svc`],
  ])("makes no leaf with %s, and we accept none", async (_, name) => {
    expect((await judged(cluster.services, "services", [name])).ours).toContain("CHAIN_NAMES name-not-allowed");
    const request = { name: "svc-backend", now, dnsNames: [name] };
    await expect(issueServiceLeaf(cluster.services, request)).rejects.toMatchObject({ code: "CERT_NAME_INVALID" });
  });

  it.each(["default", "kube-system", "kube-", "", "Plant", "a.b", "-a", "n".repeat(64)])(
    "is not made for the namespace %j",
    async (namespace) => {
      await expect(authority("services", namespace)).rejects.toMatchObject({
        code: "CERT_NAME_INVALID",
        path: "kubernetes.namespace",
      });
    },
  );
});

describe("no other authority", () => {
  it.each(["gateways", "operators"] as const)("of %s in a cluster may name its Services", async (leafClass) => {
    expect(permittedNamespace(cluster[leafClass].certificate)).toBeUndefined();
    const { openssl, ours } = await judged(cluster[leafClass], leafClass, [`backend.${NAMESPACE}.svc`]);
    expect(openssl).toMatch(VIOLATION);
    expect(ours).toContain("CHAIN_NAMES name-not-allowed");
  });

  it("of services without a cluster may", async () => {
    const { openssl, ours } = await judged(elsewhere, "services", OWN);
    expect(openssl).toMatch(VIOLATION);
    expect(ours).toContain("CHAIN_NAMES name-not-allowed");
    const request = { name: "svc-backend", now, dnsNames: OWN };
    await expect(issueServiceLeaf(elsewhere, request)).rejects.toMatchObject({ code: "CERT_NAME_INVALID" });
  });

  it("is another without a cluster than it was before there were any", () => {
    const digests = LEAF_CLASSES.map((leafClass) =>
      createHash("sha256")
        .update(Buffer.from(nameConstraints(leafClass, "acme").value))
        .digest("hex")
        .slice(0, 16),
    );
    expect(digests).toEqual(["e8449b63a231afd8", "fcedd4aae40605d3", "7920aad0aa7735dc"]);
  });
});

const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?$/);
const ownNamespace = label.filter((text) => text !== "default" && !text.startsWith("kube-"));

describe("a namespace", () => {
  it("is read from the constraints as it was put there, and of no class but services", async () => {
    await fc.assert(
      fc.asyncProperty(ownNamespace, fc.constantFrom(...LEAF_CLASSES), async (namespace, leafClass) => {
        const made = await authority(leafClass, namespace);
        expect(permittedNamespace(made.certificate)).toBe(leafClass === "services" ? namespace : undefined);
        if (leafClass === "services") return;
        const [with_, without] = [nameConstraints(leafClass, "acme", namespace), nameConstraints(leafClass, "acme")];
        expect(Buffer.from(with_.value).equals(Buffer.from(without.value))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it("holds its own Services' names, and nobody else's", () => {
    const near = fc.oneof(label, fc.constantFrom("svc", "default", "kubernetes", "", "*", NAMESPACE));
    fc.assert(
      fc.property(ownNamespace, fc.array(near, { minLength: 1, maxLength: 5 }), (namespace, labels) => {
        const name = labels.join(".");
        const wanted = labels.length === 3 && labels[1] === namespace && labels[2] === "svc";
        expect(isServiceDnsName(name, namespace)).toBe(wanted && /^[a-z0-9]/.test(labels[0] ?? ""));
        expect(isServiceDnsName(serviceDnsName("backend", namespace), namespace)).toBe(true);
        expect(isServiceDnsName(serviceDnsName("backend", `${namespace}x`), namespace)).toBe(false);
        expect(namespaceIn(namespaceDomain(namespace))).toBe(namespace);
      }),
    );
  });

  it("of the cluster's own is none", () => {
    for (const name of ["default.svc", "kube-system.svc", "svc", ".svc", "a.b.svc", "tk-plant.svc.cluster.local"]) {
      expect(namespaceIn(name)).toBeUndefined();
    }
    expect(() => assertNamespace("default")).toThrow(expect.objectContaining({ code: "CERT_NAME_INVALID" }));
  });
});

describe("an authority whose constraints are not ours", () => {
  const constrained = async (domains: readonly string[]) => {
    const validity = { notBefore: now, notAfter: new Date(now.getTime() + 86_400_000) };
    const extension = new x509.Extension("2.5.29.30", false, subtrees(domains));
    const subject = cluster.services.certificate.subjectName;
    const made = { tenant: "acme", now, name: "forged", subject, validity, extensions: [extension] };
    return permittedNamespace(new x509.X509Certificate((await issue(made, root)).certPem));
  };

  it.each([
    ["two namespaces", ["acme.trustkern.internal", "tk-plant.svc", "tk-other.svc"]],
    ["all Services", ["acme.trustkern.internal", "svc"]],
    ["the API server's namespace", ["acme.trustkern.internal", "default.svc"]],
    ["a namespace and another tenant", ["other.trustkern.internal", "tk-plant.svc"]],
    ["no namespace", ["acme.trustkern.internal"]],
  ])("counts as one without a namespace: %s", async (_, domains) => {
    expect(await constrained(domains)).toBeUndefined();
  });

  it("counts as what it is where they say the same", async () => {
    expect(await constrained(["acme.trustkern.internal", "tk-plant.svc"])).toBe("tk-plant");
  });
});

/** NameConstraints with permitted DNS subtrees alone (RFC 5280, section 4.2.1.10); every length is below 128. */
function subtrees(domains: readonly string[]): ArrayBuffer {
  const tagged = (tag: number, content: Uint8Array) => Buffer.concat([Buffer.of(tag, content.length), content]);
  const each = domains.map((domain) => tagged(0x30, tagged(0x82, Buffer.from(domain))));
  return new Uint8Array(tagged(0x30, tagged(0xa0, Buffer.concat(each)))).buffer;
}
