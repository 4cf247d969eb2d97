import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { findingsOf } from "../model/findings.ts";
import { parseDeploymentYaml } from "./parse.ts";
import { LEAST_FILES } from "./test-files.ts";

const in443 = { port: 443, protocol: "tcp", region: "eu-central-1" };
const registry = { ...in443, host: "registry.example", purpose: "images" };
const kms = { ...in443, host: "kms.eu-central-1.amazonaws.com", purpose: "keys" };

const DOCKER = "name: demo\ntenant: demo\nprofile: dev\nengine: docker\n";
const { pki: _, engine: __, ...hosted } = LEAST_FILES["eu-hosted"];
const HOSTED = stringify({ ...hosted, egress: { allow: [registry, kms] } });
const EMBEDDED = "name: demo\ntenant: demo\nprofile: dev\n";
const KMS =
  "pki: { issuing: { kind: aws-kms, region: eu-central-1, keys: { services: a, gateways: b, operators: c } } }\n";
const CUSTODY_KMS = "custody: { kind: aws-kms, region: eu-central-1, keyId: 1234abcd-12ab-34cd-56ef-1234567890ab }\n";
const CUSTODY_VAULT =
  "custody: { kind: vault, address: https://vault.internal, mount: transit, key: custody, tokenFile: /etc/token }\n";
const sealed = (device: string) => `custody: { kind: tpm2, device: ${device} }\n`;
const tpm = (device: string) => `pki: { issuing: { kind: tpm2, device: ${device}, folder: /var/lib/keys } }\n`;
const socket = (path: string) => `${DOCKER}docker: { tokenSocket: ${path} }\n`;

const wrong = (text: string): readonly string[] => {
  try {
    parseDeploymentYaml(text, "trustkern.yaml");
  } catch (thrown) {
    return findingsOf(thrown).map(({ code, path }) => `${code} ${path}`);
  }
  return [];
};

describe("keys that containers could not reach", () => {
  it.each([DOCKER, HOSTED])("are those in a KMS, whether the file or the profile names the engine", (text) => {
    expect(wrong(`${text}${KMS}`)).toEqual(["CONFIG_ENGINE_KEYS pki.issuing.kind"]);
    expect(() => parseDeploymentYaml(`${text}${KMS}`, "f")).toThrow(/"aws-kms".*accepted: pkcs11, tpm2/);
  });

  it.each([
    ["a disk", "/dev/sda"],
    ["a TPM that one process alone can open", "/dev/tpm0"],
    ["a path that climbs", "/dev/tpmrm0/../sda"],
    ["Docker's socket", "/var/run/docker.sock"],
    ["a simulator's socket among other files", "/run/sock"],
  ])("are those in %s", (_, device) => {
    expect(wrong(`${DOCKER}${tpm(device)}`)).toEqual(["CONFIG_ENGINE_KEYS pki.issuing.device"]);
    expect(wrong(`${DOCKER}${sealed(device)}`)).toEqual(["CONFIG_ENGINE_KEYS custody.device"]);
  });

  it.each([CUSTODY_KMS, CUSTODY_VAULT])("are custody's where only a network leads: %s", (custody) => {
    expect(wrong(`${DOCKER}${custody}`)).toEqual(["CONFIG_ENGINE_KEYS custody.kind"]);
    expect(wrong(`${EMBEDDED}${custody}`)).toEqual(["CONFIG_ENGINE_KEYS custody.kind"]);
  });

  it("are not those in a TPM, in a simulator with a folder of its own, or of another engine", () => {
    expect(wrong(`${DOCKER}${tpm("/dev/tpmrm0")}`)).toEqual([]);
    expect(wrong(`${DOCKER}${tpm("/run/swtpm/sock")}`)).toEqual([]);
    expect(wrong(`${DOCKER}${sealed("/dev/tpmrm0")}`)).toEqual([]);
    expect(wrong(`${EMBEDDED}${tpm("/tmp/tpm")}`)).toEqual([]);
    expect(wrong(`${EMBEDDED}${KMS}`)).toEqual([]);
  });

  it("are custody's on the engine embedded, wherever but in a file", () => {
    expect(wrong(`${EMBEDDED}${sealed("/dev/tpmrm0")}`)).toEqual(["CONFIG_ENGINE_KEYS custody.kind"]);
    expect(wrong(`${EMBEDDED}custody: { kind: file }\n`)).toEqual([]);
    expect(wrong(`${EMBEDDED}custody: { kind: hsm }\n`)).toEqual(["CONFIG_VALUE custody.kind"]);
  });

  it("are said once, where the value is not one at all", () => {
    expect(wrong(`${DOCKER}pki: { issuing: { kind: hsm } }\n`)).toEqual(["CONFIG_VALUE pki.issuing.kind"]);
    expect(wrong(`${DOCKER}${tpm("7")}`)).toEqual(["CONFIG_VALUE pki.issuing.device"]);
  });
});

describe("docker.custodySocket", () => {
  const token = (label: string) => `{ kind: pkcs11, module: /m.so, token: ${label}, pinFile: /etc/pin }`;
  const tokens = (custody: string, docker: string) =>
    `${DOCKER}pki: { issuing: ${token("one")} }\ncustody: ${token(custody)}\ndocker: { ${docker} }\n`;

  it("has the deployment's name where the file says nothing", () => {
    expect(parseDeploymentYaml(DOCKER, "f").docker.custodySocket).toBe("/run/trustkern-demo-custody/sock");
  });

  it.each([
    "tokenSocket: /run/a/sock, custodySocket: /run/a/sock",
    "custodySocket: /run/trustkern-demo/sock",
    "tokenSocket: /run/trustkern-demo-custody/sock",
  ])("is not the socket of another token: %s", (docker) => {
    expect(wrong(tokens("two", docker))).toEqual(["CONFIG_ENGINE_KEYS docker.custodySocket"]);
    expect(wrong(tokens("one", docker))).toEqual(["CONFIG_ENGINE_KEYS docker.custodySocket"]);
  });

  it.each([
    ["a folder below the other's", "tokenSocket: /run/trustkern-demo-custody/x/sock"],
    ["a folder above the other's", "tokenSocket: /run/keys/sock, custodySocket: /run/keys/custody/sock"],
  ])("is not in %s", (_, docker) => {
    expect(wrong(tokens("two", docker))).toEqual(["CONFIG_ENGINE_KEYS docker.custodySocket"]);
  });

  it("is not what the authorities' simulator of a TPM is said to be", () => {
    const custody = `custody: ${token("two")}\n`;
    expect(wrong(`${DOCKER}${custody}${tpm("/run/trustkern-demo-custody/sock")}`)).toEqual([
      "CONFIG_ENGINE_KEYS docker.custodySocket",
    ]);
  });

  it("is another one's path", () => {
    expect(wrong(tokens("two", "custodySocket: /run/b/sock"))).toEqual([]);
    expect(wrong(`${DOCKER}docker: { custodySocket: /run/docker.sock }\n`)).toEqual([
      "CONFIG_VALUE docker.custodySocket",
    ]);
  });
});

describe("custody's TPM", () => {
  it.each([
    ["the authorities' TPM", sealed("/dev/tpmrm0"), tpm("/dev/tpmrm0")],
    ["the authorities' simulator", sealed("/run/swtpm/sock"), tpm("/run/swtpm/sock")],
    ["in the folder of theirs", sealed("/run/swtpm/own/sock"), tpm("/run/swtpm/sock")],
    [
      "the socket of their token",
      sealed("/run/swtpm/sock"),
      "pki: { issuing: { kind: pkcs11, module: /m.so, token: one, pinFile: /etc/pin } }\ndocker: { tokenSocket: /run/swtpm/sock }\n",
    ],
  ])("is not %s", (_, custody, issuing) => {
    expect(wrong(`${DOCKER}${custody}${issuing}`)).toEqual(["CONFIG_ENGINE_KEYS custody.device"]);
  });

  it("is another one, which two of a host are", () => {
    expect(wrong(`${DOCKER}${sealed("/dev/tpmrm1")}${tpm("/dev/tpmrm0")}`)).toEqual([]);
  });
});

describe("docker.tokenSocket", () => {
  it("has the deployment's name where the file says nothing", () => {
    expect(parseDeploymentYaml(DOCKER, "f").docker.tokenSocket).toBe("/run/trustkern-demo/sock");
    expect(parseDeploymentYaml(socket("/run/token/sock"), "f").docker.tokenSocket).toBe("/run/token/sock");
  });

  it.each([
    ["Docker's socket", "/var/run/docker.sock"],
    ["a folder of other sockets", "/run/sock"],
    ["the root folder", "/sock"],
    ["a path that climbs", "/run/token/../sock"],
    ["a relative path", "run/token/sock"],
    ["a path longer than a socket's may be", `/run/${"x".repeat(100)}/sock`],
    ["a variable", '"/run/$HOME/sock"'],
  ])("is not %s", (_, path) => {
    expect(wrong(socket(path))).toEqual(["CONFIG_VALUE docker.tokenSocket"]);
  });
});
