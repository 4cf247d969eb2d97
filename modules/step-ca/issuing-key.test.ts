import { describe, expect, it } from "vitest";
import type { IssuingKeys } from "../../model/deployment.ts";
import { resolveDeployment } from "../../profiles/resolve.ts";
import { dockerPlacement } from "../../stacks/docker/placement.ts";
import { stepCa } from "./component.ts";

const dev = resolveDeployment({ name: "demo", tenant: "acme", profile: "dev", engine: "docker" });
const rendered = (issuing: IssuingKeys, leafClass: "gateways" | "operators" = "gateways") => {
  const deployment = { ...dev, pki: { ...dev.pki, issuing } };
  const component = stepCa(deployment, dockerPlacement(deployment), leafClass);
  return { component, config: JSON.parse(component.files[0]?.content ?? "{}") };
};
const secretsOf = ({ component }: ReturnType<typeof rendered>) =>
  component.secrets.map(({ name }) => name).filter((name) => !["ca.crt", "ca.json", "intermediate.crt"].includes(name));
const grantsOf = ({ component }: ReturnType<typeof rendered>) =>
  component.exceptions.flatMap(({ grants = [] }) => grants);

const TOKEN = { kind: "pkcs11", module: "/opt/hsm.so", token: "t", pinFile: "/etc/pin", keyPrefix: "demo" } as const;

describe("an online authority", () => {
  it("has its key in a file and nothing of the host where keys are in files", () => {
    const { component, config } = rendered({ kind: "file" });
    expect(secretsOf({ component, config })).toEqual(["intermediate.key", "intermediate.password"]);
    expect(component.command).toContain("--password-file");
    expect(component.image).toBe("step-ca");
    expect(config).not.toHaveProperty("kms");
    expect(component.exceptions).toEqual([]);
  });

  it("reaches a token by the host's socket, with the PIN in a file of its own", () => {
    const token = rendered(TOKEN);
    expect(secretsOf(token)).toEqual(["token.pin"]);
    expect(token.config.key).toBe("pkcs11:object=demo-gateways");
    expect(token.config.kms.uri).toBe(
      "pkcs11:module-path=/usr/$LIB/pkcs11/p11-kit-client.so;token=t?pin-source=/run/secrets/token.pin",
    );
    expect(token.component.environment).toMatchObject({
      P11_KIT_SERVER_ADDRESS: "unix:path=/run/trustkern/host.keys/sock",
    });
    expect(grantsOf(token)).toEqual(["host-socket:/run/trustkern-demo/sock"]);
    expect(JSON.stringify(token.component)).not.toMatch(/\/opt\/hsm\.so|\/etc\/pin/);
  });

  it("has of a TPM the device and its own class's key file, and no other class's", () => {
    const tpm = rendered({ kind: "tpm2", device: "/dev/tpmrm0", folder: "/k" }, "operators");
    expect(secretsOf(tpm)).toEqual(["operators.tss2.pem"]);
    expect(tpm.config.key).toBe("tpmkms:path=/run/secrets/operators.tss2.pem");
    expect(tpm.config.kms.uri).toBe("tpmkms:device=/dev/tpmrm0");
    expect(grantsOf(tpm)).toEqual(["device:/dev/tpmrm0"]);
  });

  it("reaches a TPM's simulator by its socket", () => {
    const simulator = rendered({ kind: "tpm2", device: "/run/swtpm/sock", folder: "/k" });
    expect(simulator.config.kms.uri).toBe("tpmkms:device=/run/trustkern/host.keys/sock");
    expect(grantsOf(simulator)).toEqual(["host-socket:/run/swtpm/sock"]);
  });

  it("is given nothing of the host for a key that no container reaches", () => {
    const keys = { services: "a", gateways: "b", operators: "c" };
    const kms = rendered({ kind: "aws-kms", region: "eu-central-1", keys });
    expect([secretsOf(kms), grantsOf(kms)]).toEqual([[], []]);
  });

  it("trusts public authorities for a KMS alone, whose certificate is by one", () => {
    const keys = { services: "a", gateways: "b", operators: "c" };
    const kms = rendered({ kind: "aws-kms", region: "eu-central-1", keys });
    expect(kms.component.environment).toMatchObject({ SSL_CERT_DIR: "/etc/ssl/certs" });
    const token = rendered({ kind: "tpm2", device: "/dev/tpmrm0", folder: "/k" });
    expect(token.component.environment).toMatchObject({ SSL_CERT_DIR: "/run/step/none" });
  });
});
