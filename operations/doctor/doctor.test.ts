import { createRequire } from "node:module";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { defaultDeployment } from "../../profiles/resolve.ts";
import { stateLabelOf } from "../../stacks/docker/labels.ts";
import { createDockerCli, type DockerCli, dockerErrors } from "../../stacks/host/docker-cli.ts";
import { kubernetesLifeErrors } from "../../stacks/kubernetes/life/errors.ts";
import { EXAMPLE_MODEL } from "../diagram/example-model.ts";
import { examine } from "./doctor.ts";
import { doctorErrors } from "./errors.ts";
import { fakeMachine } from "./fake-machine.ts";
import { CHECKS, type DoctorFinding } from "./finding.ts";
import type { DoctorDeployment, DoctorSubject } from "./subject.ts";
import { thisMachine } from "./this-machine.ts";

const docker: DoctorDeployment = {
  deployment: { ...defaultDeployment(), engine: "docker" },
  model: EXAMPLE_MODEL,
};
const noDocker: DockerCli = async () => {
  throw dockerErrors.error("DOCKER_MISSING", "there is no docker client in PATH");
};
const bare: DoctorSubject = {
  machine: fakeMachine(),
  docker: noDocker,
  deployed: undefined,
  stateDir: "/srv/.trustkern",
  lockFile: "/srv/images.lock.yaml",
  modulePaths: [],
  runAs: { uid: 10_001, gid: 10_001 },
  findTerraform: async () => {
    throw new Error("no terraform");
  },
  lookAtCluster: async () => {
    throw new Error("no cluster");
  },
  now: () => new Date(0),
};
const checksOf = (findings: readonly DoctorFinding[]) => [...new Set(findings.map(({ check }) => check))];
const ofCheck = (findings: readonly DoctorFinding[], check: string) =>
  findings.filter((finding) => finding.check === check).map(({ level, code = "" }) => `${level} ${code}`.trim());

it("looks at everything on a machine with nothing on it, and calls nothing of it well that it did not see", async () => {
  const findings = await examine(bare);
  expect(checksOf(findings)).toEqual(CHECKS);
  expect(findings.filter(({ level }) => level === "ok").map(({ check }) => check)).toEqual(["certificates"]);
  expect(findings.filter(({ level }) => level === "problem")).toEqual([]);
});

it("is a problem without docker and terraform once a deployment needs them, and says what was not looked at", async () => {
  const findings = await examine({ ...bare, deployed: docker });
  expect(ofCheck(findings, "docker")).toEqual(["problem DOCKER_MISSING"]);
  expect(ofCheck(findings, "terraform")).toEqual(["problem DOCTOR_NOT_CHECKED"]);
  expect(ofCheck(findings, "disk")).toEqual(["warning DOCTOR_NOT_CHECKED", "warning DOCTOR_NOT_CHECKED"]);
});

it("asks for no docker where the engine is embedded", async () => {
  const findings = await examine({
    ...bare,
    deployed: { ...docker, deployment: defaultDeployment() },
    docker: () => {
      throw new Error("asked");
    },
  });
  for (const check of ["docker", "terraform", "cdk", "cluster", "images", "ports"])
    expect(ofCheck(findings, check)).toEqual(["ok"]);
});

describe("of the engine kubernetes", () => {
  const inCluster: DoctorSubject = {
    ...bare,
    deployed: { ...docker, deployment: { ...defaultDeployment(), engine: "kubernetes" } },
    docker: () => {
      throw new Error("asked");
    },
  };
  const seen = { version: "v1.34.1", namespaceThere: false };

  it.each([
    ["the plugin that enforces policies", "calico-node", ["ok", "ok"]],
    ["that none is seen", undefined, ["ok", "warning DOCTOR_POLICIES_UNENFORCED"]],
  ])("looks at its cluster, and says %s", async (_, enforcer, expected) => {
    const findings = await examine({ ...inCluster, lookAtCluster: async () => ({ ...seen, enforcer }) });
    expect(ofCheck(findings, "cluster")).toEqual(expected);
    for (const check of ["docker", "terraform", "cdk", "images", "ports"])
      expect(ofCheck(findings, check)).toEqual(["ok"]);
  });

  it("says why its cluster cannot have it", async () => {
    const lookAtCluster = async () => {
      throw kubernetesLifeErrors.error("CLUSTER_TOO_OLD", "the cluster is v1.20.0");
    };
    const findings = await examine({ ...inCluster, lookAtCluster });
    expect(ofCheck(findings, "cluster")).toEqual(["problem CLUSTER_TOO_OLD"]);
    expect(checksOf(findings)).toEqual(CHECKS);
  });
});

it("goes on after a check that breaks, and reports it", async () => {
  const machine = {
    ...fakeMachine(),
    tryPort: () => Promise.reject(new Error("broken")),
  };
  const findings = await examine({ ...bare, machine, deployed: docker });
  expect(ofCheck(findings, "ports")).toEqual(["problem DOCTOR_NOT_CHECKED"]);
  expect(checksOf(findings)).toEqual(CHECKS);
});

it("knows the container that holds a port by the label of its state directory", async () => {
  const asked: string[] = [];
  const labelled =
    (state: string): DockerCli =>
    async (args) => {
      asked.push(args.join(" "));
      return { stdout: `broker\t${state}\n`, stderr: "", code: args[0] === "ps" ? 0 : 1 };
    };
  const machine = fakeMachine({ ports: { 8883: "taken" } });
  const levels = async (state: string) =>
    ofCheck(await examine({ ...bare, machine, docker: labelled(state), deployed: docker }), "ports");
  expect((await levels(stateLabelOf(bare.stateDir))).every((level) => level === "ok")).toBe(true);
  expect(await levels(stateLabelOf("/srv/another"))).toContain("problem DOCTOR_PORT_TAKEN");
  expect(asked.some((args) => args.includes("--filter publish=8883/tcp"))).toBe(true);
});

it("gives every finding that is not well a code and a fix", async () => {
  for (const { level, code, fix } of await examine({ ...bare, deployed: docker })) {
    expect(Boolean(code && fix)).toBe(level !== "ok");
    if (code?.startsWith("DOCTOR_")) expect(doctorErrors.entries).toHaveProperty(code);
  }
});

it("runs for real on this machine, and changes nothing", async () => {
  const machine = thisMachine(process.env, new AbortController().signal);
  const findings = await examine({
    ...bare,
    machine,
    docker: createDockerCli(process.env),
    deployed: docker,
    stateDir: import.meta.dirname,
    modulePaths: createRequire(import.meta.url).resolve.paths("cdktf") ?? [],
    now: () => new Date(),
  });
  expect(checksOf(findings)).toEqual(CHECKS);
  expect(ofCheck(findings, "cdk")).toEqual(["ok"]);
  expect(machine.deviceOf("/proc")).toMatch(/^\d+:\d+$/);
});

it("sees a port that is really taken, and one that is of another machine", async () => {
  const { tryPort } = thisMachine({}, new AbortController().signal);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  expect(await tryPort("tcp", "127.0.0.1", port)).toBe("taken");
  await new Promise((resolve) => server.close(resolve));
  expect(await tryPort("tcp", "127.0.0.1", port)).toBe("free");
  for (const protocol of ["tcp", "udp"] as const) expect(await tryPort(protocol, "192.0.2.1", port)).toBe("no-address");
});
