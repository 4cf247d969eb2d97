import { describe, expect, it } from "vitest";
import type { CustodyKeys } from "../../model/deployment.ts";
import { defaultDeployment } from "../../profiles/resolve.ts";
import { custodyConfig } from "../../services/custody/config.ts";
import { dockerPlacement } from "../../stacks/docker/placement.ts";
import { referencePlacement } from "../reference-placement.ts";
import { custody } from "./component.ts";

const deployment = defaultDeployment();
const { leastClass, owner, schedule, grants } = deployment.custody;
const terms = { leastClass, owner, schedule, grants };
const arn = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-4000-8000-000000000000";

/** Custody of a deployment whose keys are there, and its configuration as its program reads it. */
function custodyIn(place: CustodyKeys) {
  const built = custody({ ...deployment, custody: place }, referencePlacement(deployment));
  return { built, config: custodyConfig.parse(JSON.parse(built.files[0]?.content ?? "")) };
}

const PLACES: readonly CustodyKeys[] = [
  { ...terms, kind: "file" },
  { ...terms, kind: "pkcs11", module: "/usr/lib/p11.so", token: "acme", pinFile: "/etc/pin", keyPrefix: "demo" },
  { ...terms, kind: "tpm2", device: "/dev/tpmrm0", pcrs: "sha256:0,2,4,7" },
  { ...terms, kind: "vault", address: "https://vault.acme", mount: "transit", key: "acme", tokenFile: "/etc/token" },
  { ...terms, kind: "aws-kms", region: "eu-central-1", keyId: arn, account: "111122223333" },
];

describe("custody's key store", () => {
  it.each(PLACES)("$kind has a configuration that the program accepts", (place) => {
    expect(custodyIn(place).config.keyStore.kind).toBe(place.kind);
  });

  it("gives a passphrase to a file store, and to no other", () => {
    const having = PLACES.filter((place) => custodyIn(place).built.secrets.some(({ name }) => name === "passphrase"));
    expect(having.map(({ kind }) => kind)).toEqual(["file"]);
  });

  it("gives no passphrase to a file store outside dev, which waits for a person", () => {
    const place = { ...terms, kind: "file" } as const;
    const elsewhere = { ...deployment, profile: "air-gapped", custody: place } as const;
    const built = custody(elsewhere, referencePlacement(elsewhere));
    expect(built.secrets.map((each) => each.name)).not.toContain("passphrase");
    const { keyStore } = custodyConfig.parse(JSON.parse(built.files[0]?.content ?? ""));
    expect(keyStore).toEqual({ kind: "file", folder: expect.any(String) });
  });

  it("gives custody a network where a server wraps its keys, and nowhere else", () => {
    const having = PLACES.filter((place) => custodyIn(place).built.network);
    expect(having.map(({ kind }) => kind)).toEqual(["vault", "aws-kms"]);
  });

  const inContainer = (place: CustodyKeys) => {
    const hosted = { ...deployment, engine: "docker", custody: place } as const;
    const built = custody(hosted, dockerPlacement(hosted));
    return { built, config: custodyConfig.parse(JSON.parse(built.files[0]?.content ?? "")).keyStore };
  };

  it("reaches a token of the host's by its server's socket, and has no PIN of it", () => {
    const { built, config } = inContainer({
      ...{ ...terms, kind: "pkcs11", module: "/opt/hsm.so", token: "acme", pinFile: "/etc/pin", keyPrefix: "demo" },
    });
    expect(config).toEqual({ kind: "pkcs11", server: "/run/trustkern/host.keys/sock" });
    expect([built.image, built.secrets.map((secret) => secret.name)]).toEqual(["custody", []]);
    const [grants] = built.exceptions.map((exception) => exception.grants);
    expect(grants).toEqual([`host-socket:${deployment.docker.custodySocket}`]);
    expect(JSON.stringify(built)).not.toMatch(/\/opt\/hsm\.so|\/etc\/pin/);
  });

  it.each([
    ["/dev/tpmrm0", "/dev/tpmrm0", "device:/dev/tpmrm0"],
    ["/run/swtpm/sock", "/run/trustkern/host.keys/sock", "host-socket:/run/swtpm/sock"],
  ])("has what the TPM %s seals in a volume, and room for tpm2-tools' files", (device, inside, grant) => {
    const { built, config } = inContainer({ ...terms, kind: "tpm2", device, pcrs: "sha256:7" });
    expect(config).toEqual({ kind: "tpm2", device: inside, pcrs: "sha256:7", folder: "/var/lib/trustkern/keys" });
    expect(built.image).toBe("custody-tpm2");
    expect(built.exceptions.flatMap((exception) => exception.grants)).toEqual([grant]);
    expect(built.volumes).toContainEqual({
      ...{ name: "keys", path: "/var/lib/trustkern/keys", witness: "wrapping-key.tpm2" },
    });
    expect(built.scratch.map(({ path }) => path)).toEqual(["/tmp"]);
  });

  it("is given nothing of the host for keys in a file", () => {
    const { built } = inContainer({ ...terms, kind: "file" });
    expect([built.image, built.exceptions, built.scratch]).toEqual(["custody", [], []]);
  });

  it("hands on the least class", () => {
    const place = { ...terms, kind: "file", leastClass: "hardware" } as const;
    expect(custodyIn(place).config.leastClass).toBe("hardware");
  });
});
