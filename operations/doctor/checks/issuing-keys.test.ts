import { describe, expect, it } from "vitest";
import { resolveDeployment } from "../../../profiles/resolve.ts";
import { hostKeyFindings, issuingKeys } from "../../../stacks/docker/life/host-keys.ts";
import { fakeMachine } from "../fake-machine.ts";
import { judgeIssuingKeys } from "./issuing-keys.ts";

const dev = resolveDeployment({ name: "demo", tenant: "acme", profile: "dev", engine: "docker" });
const token = { kind: "pkcs11", module: "/m.so", token: "t", pinFile: "/etc/pin", keyPrefix: "demo" } as const;
const withToken = { ...dev, pki: { ...dev.pki, issuing: token } };
const file = { kind: "file", uid: 0, gid: 0, mode: 0o600, size: 8 } as const;
const well = {
  "/m.so": file,
  "/etc/pin": file,
  "/run/trustkern-demo": { ...file, kind: "folder", mode: 0o755, entries: ["sock"] },
  "/run/trustkern-demo/sock": { ...file, kind: "socket", uid: 10_001, answers: true },
} as const;

async function judge(deployment: typeof withToken | typeof dev, owned: Parameters<typeof fakeMachine>[0] = {}) {
  const { lookAt } = fakeMachine(owned);
  return judgeIssuingKeys(
    deployment,
    await hostKeyFindings(issuingKeys(deployment), { uid: 10_001, gid: 10_001 }, lookAt),
  );
}

describe("issuing keys", () => {
  it("are well in files, and on a token that containers reach", async () => {
    expect(await judge(dev)).toMatchObject([{ level: "ok" }]);
    expect(await judge(withToken, { owned: well })).toMatchObject([{ level: "ok" }]);
  });

  it("are a problem for each thing that is missing, with what mends it", async () => {
    const findings = await judge(withToken);
    expect(findings.map(({ level, code }) => `${level} ${code}`)).toEqual(
      Array(3).fill("problem HOST_KEYS_UNREACHABLE"),
    );
    for (const { fix } of findings) expect(fix).toBeTruthy();
  });
});
