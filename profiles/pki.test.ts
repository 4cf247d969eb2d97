import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { findingsOf } from "../model/findings.ts";
import { parseDeploymentYaml } from "./parse.ts";
import { defaultDeployment } from "./resolve.ts";
import { LEAST_FILES } from "./test-files.ts";

const DEV = "name: demo\ntenant: demo\nprofile: dev\n";
const [HOSTED, CUSTOMER, SITE] = (["eu-hosted", "customer-tenant", "air-gapped"] as const).map((profile) => {
  const { pki: _, ...file } = LEAST_FILES[profile];
  return stringify(file);
}) as [string, string, string];
const TOKEN = "kind: pkcs11, module: /usr/lib/token.so, token: acme, pinFile: /etc/pin";
const KMS = "kind: aws-kms, region: eu-central-1, keys: { services: a, gateways: b, operators: c }";

const pki = (text: string) => parseDeploymentYaml(text, "trustkern.yaml").pki;
const wrong = (text: string): readonly string[] => {
  try {
    parseDeploymentYaml(text, "trustkern.yaml");
  } catch (thrown) {
    return findingsOf(thrown).map(({ code, path }) => `${code} ${path}`);
  }
  return [];
};

describe("pki", () => {
  it("is an age file and files where a development deployment says nothing", () => {
    expect(defaultDeployment().pki).toEqual({ root: { kind: "age" }, issuing: { kind: "file" } });
    expect(pki(`${DEV}pki: {}\n`)).toEqual({ root: { kind: "age" }, issuing: { kind: "file" } });
  });

  it.each([HOSTED, CUSTOMER, SITE])("takes a token and a TPM outside of dev", (text) => {
    expect(pki(`${text}pki: { issuing: { ${TOKEN} } }\n`)).toEqual({
      root: { kind: "age" },
      issuing: { kind: "pkcs11", module: "/usr/lib/token.so", token: "acme", pinFile: "/etc/pin", keyPrefix: "demo" },
    });
    const tpm = "kind: tpm2, device: /dev/tpmrm0, folder: /var/lib/keys";
    expect(pki(`${text}pki: { root: { ${tpm} }, issuing: { ${tpm} } }\n`)).toEqual({
      root: { kind: "tpm2", device: "/dev/tpmrm0", folder: "/var/lib/keys" },
      issuing: { kind: "tpm2", device: "/dev/tpmrm0", folder: "/var/lib/keys" },
    });
  });

  it("takes a KMS where no container has to reach it", () => {
    expect(pki(`${DEV}pki: { issuing: { ${KMS} } }\n`)).toEqual({
      root: { kind: "age" },
      issuing: { kind: "aws-kms", region: "eu-central-1", keys: { services: "a", gateways: "b", operators: "c" } },
    });
  });

  it.each([HOSTED, CUSTOMER, SITE])("refuses files, and silence, outside of dev", (text) => {
    expect(wrong(`${text}pki: { issuing: { kind: file } }\n`)).toEqual(["CONFIG_PROFILE pki.issuing.kind"]);
    expect(wrong(text)).toEqual(["CONFIG_PROFILE pki.issuing.kind"]);
    expect(wrong(`${text}pki: { root: { kind: age } }\n`)).toEqual(["CONFIG_PROFILE pki.issuing.kind"]);
  });

  it("says why files are refused, and what is accepted", () => {
    expect(() => pki(`${HOSTED}pki: { issuing: { kind: file } }\n`)).toThrow(
      /"file", but profile eu-hosted accepts: pkcs11, tpm2, aws-kms, because who copies the file/,
    );
  });

  it.each([
    ["a root in a plain file", "root: { kind: file }", ["CONFIG_VALUE pki.root.kind"]],
    ["a root in a KMS, which is online", "root: { kind: aws-kms }", ["CONFIG_VALUE pki.root.kind"]],
    ["a kind that there is not", "issuing: { kind: hsm }", ["CONFIG_VALUE pki.issuing.kind"]],
    ["no kind", "root: {}", ["CONFIG_MISSING pki.root.kind"]],
    [
      "a token without its PIN's file",
      "root: { kind: pkcs11, module: /m.so, token: t }",
      ["CONFIG_MISSING pki.root.pinFile"],
    ],
    ["a TPM without a folder", "root: { kind: tpm2, device: /dev/tpmrm0 }", ["CONFIG_MISSING pki.root.folder"]],
    ["a relative path", `root: { ${TOKEN.replace("/etc/pin", "pin")} }`, ["CONFIG_VALUE pki.root.pinFile"]],
    [
      "a path that ends a URI's part",
      `root: { ${TOKEN.replace("/etc/pin", '"/a;b"')} }`,
      ["CONFIG_VALUE pki.root.pinFile"],
    ],
    ["a PIN in place of its file", `root: { ${TOKEN}, pin: "1234" }`, ["CONFIG_UNKNOWN_KEY pki.root.pin"]],
    ["a member of another kind", "root: { kind: age, token: t }", ["CONFIG_VALUE pki.root.token"]],
    [
      "a KMS without a key for each authority",
      "issuing: { kind: aws-kms, region: r, keys: { services: a } }",
      ["CONFIG_MISSING pki.issuing.keys.gateways", "CONFIG_MISSING pki.issuing.keys.operators"],
    ],
    [
      "a key that is no authority's",
      `issuing: { ${KMS.replace("services", "root")} }`,
      ["CONFIG_MISSING pki.issuing.keys.services", "CONFIG_UNKNOWN_KEY pki.issuing.keys.root"],
    ],
  ])("refuses %s", (_, said, findings) => {
    expect([...wrong(`${DEV}pki: { ${said} }\n`)].sort()).toEqual(findings);
  });
});
