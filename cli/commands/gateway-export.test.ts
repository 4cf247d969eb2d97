import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { buildModel } from "../../modules/index.ts";
import { parseDeploymentYaml } from "../../profiles/parse.ts";
import { fleetErrors } from "../../services/backend/fleet/errors.ts";
import { dockerPlacement } from "../../stacks/docker/placement.ts";
import type { OperatorClient } from "../../stacks/host/operator-client.ts";
import { type Outcome, runCli } from "../test-io.ts";

const operator = vi.fn<OperatorClient>();
const folder = mkdtempSync(join(tmpdir(), "tk-export-"));
const YAML = `name: demo
tenant: acme
profile: dev
engine: docker
gatewaysElsewhere: [gw-07]
`;
const deployment = parseDeploymentYaml(YAML, "trustkern.yaml");
writeFileSync(join(folder, "backend.pub"), `04${"ff".repeat(64)}`);

vi.mock("./certs-context.ts", () => ({
  certsSite: async () => ({
    operator: async () => operator,
    model: buildModel(deployment, dockerPlacement(deployment)),
    secretFile: (_: string, secret: string) => join(folder, secret),
    pki: {
      store: { anchors: () => ["anchor\n"] },
      brokerKeys: { read: () => ({ current: "ab".repeat(32), next: "cd".repeat(32), previous: undefined }) },
    },
  }),
}));
vi.mock("../../operations/gateway-kit/sources.ts", async (original) => ({
  ...(await original<object>()),
  projectSources: async () => ({
    ...{ program: Buffer.from("program"), probe: Buffer.from("probe") },
    ...{ node: join(folder, "backend.pub"), license: join(folder, "backend.pub") },
  }),
}));

const TOKEN = `ge_${"x".repeat(54)}`;
const FILE = join(folder, "gw-07.tar.gz");
const run = (line: string): Promise<Outcome> => runCli(line.split(" "), { cwd: folder });

beforeEach(() => {
  rmSync(FILE, { force: true });
  writeFileSync(join(folder, "trustkern.yaml"), YAML);
  operator.mockReset();
  operator.mockResolvedValue({ id: "1", token: TOKEN, expires_at: "2027-03-08T08:00:00.000Z" });
});

describe("trustkern gateway export", () => {
  it("writes an archive that nobody else may read, and shows its token nowhere", async () => {
    const { exit, stdout, stderr } = await run("gateway export gw-07 -o gw-07.tar.gz --address 192.0.2.1 --json");
    expect([exit, JSON.parse(stdout)]).toEqual([
      0,
      {
        schema: "trustkern.gateway-export/1",
        ...{ gateway: "gw-07", file: "gw-07.tar.gz", platform: "linux-arm64", address: "192.0.2.1" },
        expires_at: "2027-03-08T08:00:00.000Z",
      },
    ]);
    expect(stdout + stderr).not.toContain("xxxx");
    expect(statSync(FILE).mode & 0o777).toBe(0o600);
    expect(readFileSync(FILE).subarray(0, 2)).toEqual(Buffer.of(0x1f, 0x8b));
    expect(operator.mock.calls).toEqual([["POST", "/v1/gateways/gw-07/enrolment-tokens", {}]]);
  });

  it("makes a token for as long as it is told", async () => {
    await run("gateway export gw-07 -o gw-07.tar.gz --address 192.0.2.1 --hours 2");
    expect(operator.mock.calls[0]?.[2]).toEqual({ lifetime_hours: 2 });
  });

  it("with --dry-run makes no token and no file", async () => {
    expect(await run("gateway export gw-07 -o gw-07.tar.gz --address 192.0.2.1 --dry-run")).toMatchObject({ exit: 0 });
    expect([operator.mock.calls, existsSync(FILE)]).toEqual([[], false]);
  });

  it.each<[string, string, string]>([
    ["a name of this host", "gw-01 -o gw-07.tar.gz --address 192.0.2.1", "GATEWAY_KIT_NAME"],
    ["no address", "gw-07 -o gw-07.tar.gz", "GATEWAY_KIT_ADDRESS"],
    ["an unknown platform", "gw-07 -o gw-07.tar.gz --address 192.0.2.1 --platform linux", "GATEWAY_KIT_PLATFORM"],
    ["more than a week", "gw-07 -o gw-07.tar.gz --address 192.0.2.1 --hours 169", "CLI_USAGE"],
    ["no file", "gw-07 --address 192.0.2.1", "CLI_USAGE"],
    ["no gateway's name", "svc-x -o gw-07.tar.gz --address 192.0.2.1", "CLI_USAGE"],
    ["a file that is there", "gw-07 -o backend.pub --address 192.0.2.1", "CLI_FILE_EXISTS"],
    ["a folder that is not", "gw-07 -o no/where.tar.gz --address 192.0.2.1", "CLI_OUTPUT"],
  ])("asks for no token with %s", async (_, line, code) => {
    const { exit, stdout } = await run(`gateway export ${line} --json`);
    expect([exit === 0, JSON.parse(stdout).error.code]).toEqual([false, code]);
    expect([operator.mock.calls, existsSync(FILE)]).toEqual([[], false]);
  });

  it("asks for no token where nothing issues", async () => {
    writeFileSync(join(folder, "trustkern.yaml"), YAML.replace("engine: docker", "engine: embedded"));
    const { stdout } = await run("gateway export gw-07 -o gw-07.tar.gz --address 192.0.2.1 --json");
    expect(JSON.parse(stdout).error.code).toBe("GATEWAY_KIT_ENGINE");
    expect(operator).not.toHaveBeenCalled();
  });

  it("leaves no file where the backend refuses", async () => {
    operator.mockRejectedValue(fleetErrors.error("GATEWAY_ENROLLED", "gateway gw-07 is enrolled already"));
    const { stdout } = await run("gateway export gw-07 -o gw-07.tar.gz --address 192.0.2.1 --json");
    expect([JSON.parse(stdout).error.code, existsSync(FILE)]).toEqual(["GATEWAY_ENROLLED", false]);
  });
});
