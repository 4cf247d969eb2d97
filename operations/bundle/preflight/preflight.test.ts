import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseDeploymentYaml } from "../../../profiles/parse.ts";
import type { Finding } from "../../../shared/finding.ts";
import { STATE_LABEL, stateLabelOf } from "../../../stacks/docker/labels.ts";
import { type DockerCli, dockerErrors } from "../../../stacks/host/docker-cli.ts";
import { type FakeMachine, fakeMachine } from "../../doctor/fake-machine.ts";
import type { Plan } from "../install/plan.ts";
import { siteOf } from "../install/site.ts";
import { testBundle } from "../install/test-site.ts";
import { assertFit } from "./preflight.ts";

const example = join(import.meta.dirname, "../../../examples/air-gapped/trustkern.yaml");
const deployment = parseDeploymentYaml(readFileSync(example, "utf8"), example);
const old = { version: 1, manifest: `sha256:${"1".repeat(64)}` };

const LIMITS = { MemoryLimit: true, SwapLimit: true, PidsLimit: true, CpuCfsQuota: true };
const INFO = {
  ...{ Driver: "overlay2", DockerRootDir: "/var/lib/docker", SystemTime: new Date(0).toISOString(), ...LIMITS },
  SecurityOptions: ["name=seccomp,profile=builtin"],
};

/** An engine that is fit, with changes: its version, what it says of itself, who has a port, and containers by name. */
function engine(
  more: {
    readonly version?: string;
    readonly info?: object;
    readonly holder?: string;
    readonly containers?: object[];
  } = {},
): DockerCli {
  const { version = "28.0.0", info = {}, holder = "", containers = [] } = more;
  const said = (stdout: string) => ({ code: 0, stdout, stderr: "" });
  return async ([command = "", ...rest]) => {
    if (command === "version")
      return said(JSON.stringify({ Client: { Version: version }, Server: { Version: version } }));
    if (command === "info") return said(JSON.stringify({ ...INFO, ...info }));
    if (command === "ps") return said(rest.join(" ").includes("publish") ? holder : "");
    return said(JSON.stringify(containers));
  };
}

const upgrade = { kind: "upgrade", from: old, steps: ["stage", "stop", "deploy"] } as const;
const first = { kind: "install", from: undefined, steps: ["stage", "deploy"] } as const;

/** Codes with which a first install is refused, and the paths of the findings. */
async function refusedWith(docker: DockerCli, machine: FakeMachine = {}, known = true): Promise<readonly string[]> {
  const { manifest, trusted } = testBundle(2);
  const thrown = await assertFit({
    site: siteOf("/nowhere/site"),
    plan: { run: 1, target: trusted, resumes: false, abandons: undefined, ...first },
    ...{ manifest, runtime: [], ownToolkit: undefined, deployment: known ? deployment : undefined },
    machine: fakeMachine(machine),
    docker,
    runAs: { uid: 10_001, gid: 10_001 },
    now: () => new Date(0),
    onWarning: () => undefined,
  }).catch((error: unknown) => error as { readonly cause: readonly Finding[] });
  return [...new Set((thrown?.cause ?? []).map(({ code }) => code))];
}

const TAKEN: FakeMachine = { ports: Object.fromEntries(Array.from({ length: 65_535 }, (_, port) => [port, "taken"])) };
const ABSENT: FakeMachine = {
  ports: Object.fromEntries(Array.from({ length: 65_535 }, (_, port) => [port, "no-address"])),
};
const own = stateLabelOf(siteOf("/nowhere/site").stateDir);
/** As the engine tells of a container called custody. */
const container = (labels: object) => ({
  ...{ Id: "1", Name: "/custody", Image: "sha256:1", RestartCount: 0, Mounts: [], NetworkSettings: { Networks: {} } },
  State: { Status: "running", Running: true, ExitCode: 0, Pid: 1, StartedAt: "2026-01-01T00:00:00Z" },
  Config: { User: "", Labels: labels },
  HostConfig: { Privileged: false, ReadonlyRootfs: true, Memory: 0, NetworkMode: "bridge" },
});

/** What keeps a machine without a token's library, and without an engine, from taking a bundle; and what it is warned of. */
async function refused(plan: Pick<Plan, "kind" | "from" | "steps">) {
  const { manifest, trusted } = testBundle(2);
  const warnings: string[] = [];
  const thrown = await assertFit({
    site: siteOf("/nowhere/site"),
    plan: { run: 1, target: trusted, resumes: false, abandons: undefined, ...plan },
    ...{ manifest, runtime: [], ownToolkit: undefined, deployment },
    machine: fakeMachine(),
    docker: () => Promise.reject(dockerErrors.error("DOCKER_UNREACHABLE", "nobody answers")),
    runAs: { uid: 10_001, gid: 10_001 },
    now: () => new Date(0),
    onWarning: (what) => void warnings.push(what),
  }).catch((error: unknown) => error as { readonly code: string; readonly cause: readonly Finding[] });
  return { code: thrown?.code, codes: new Set(thrown?.cause.map(({ code }) => code)), warnings: warnings.join("\n") };
}

describe("assertFit", () => {
  it.each<[string, string[], DockerCli, FakeMachine?, boolean?]>([
    ["nothing", [], engine()],
    ["no engine", ["DOCKER_MISSING"], () => Promise.reject(dockerErrors.error("DOCKER_MISSING", "no docker"))],
    ["an engine that is too old", ["DOCTOR_DOCKER_OLD"], engine({ version: "19.03.1" })],
    ["an engine without limits", ["DOCTOR_DOCKER_LIMITS"], engine({ info: { PidsLimit: false } })],
    [
      "such an engine, of a bundle that it cannot read",
      ["DOCTOR_DOCKER_LIMITS"],
      engine({ info: { PidsLimit: false } }),
      {},
      false,
    ],
    ["ports of another program", ["DOCTOR_PORT_TAKEN"], engine(), TAKEN],
    ["ports of another deployment", ["DOCTOR_PORT_TAKEN"], engine({ holder: "broker\tother" }), TAKEN],
    ["its own ports, held by its own containers", [], engine({ holder: `broker\t${own}` }), TAKEN],
    ["an address that the machine has not", ["DOCTOR_PORT_ADDRESS"], engine(), ABSENT],
    ["no room", ["BUNDLE_NO_ROOM"], engine(), { freeBytes: 10, files: { "/nowhere/x": "" } }],
  ])("refuses a machine for %s", async (_, codes, docker, machine, known) => {
    expect(await refusedWith(docker, machine, known)).toEqual(codes);
  });

  it.each<[string, string[], object]>([
    ["of another deployment", ["NAME_TAKEN"], { "trustkern.deployment": "other" }],
    ["of nobody", ["NAME_TAKEN"], {}],
    ["of its own", [], { [STATE_LABEL]: own }],
  ])("looks whose a container is that has a component's name: %s", async (_, codes, labels) => {
    expect(await refusedWith(engine({ containers: [container(labels)] }))).toEqual(codes);
  });

  it("lets a first install go on without its keys, and warns: what serves them comes with it, and its deploy asks again", async () => {
    const { code, codes, warnings } = await refused(first);
    expect([code, codes.has("HOST_KEYS_UNREACHABLE"), codes.has("DOCKER_UNREACHABLE")]).toEqual([
      ...["BUNDLE_PREFLIGHT", false, true],
    ]);
    expect(warnings).toContain(`there is no socket "${deployment.docker.custodySocket}"; before its deploy: start`);
  });

  it("refuses an upgrade whose keys are out of reach, before it stops what runs", async () => {
    const { code, codes, warnings } = await refused(upgrade);
    expect([code, codes.has("HOST_KEYS_UNREACHABLE")]).toEqual(["BUNDLE_PREFLIGHT", true]);
    expect(warnings).not.toContain("before its deploy");
  });
});
