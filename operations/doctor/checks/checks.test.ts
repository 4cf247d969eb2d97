import { describe, expect, it } from "vitest";
import { dockerErrors } from "../../../stacks/host/docker-cli.ts";
import type { DockerFacts, DockerUp } from "../docker-facts.ts";
import { fakeMachine } from "../fake-machine.ts";
import type { DoctorFinding } from "../finding.ts";
import type { Needs } from "../subject.ts";
import { gatherCdk, judgeCdk } from "./cdk.ts";
import { gatherClock, judgeClock } from "./clock.ts";
import { gatherDisk, judgeDisk } from "./disk.ts";
import { judgeDocker } from "./docker.ts";
import { judgeImages } from "./images.ts";
import { judgePorts, type PortFacts } from "./ports.ts";
import { judgeTerraform } from "./terraform.ts";

const NONE: Needs = { docker: false, builds: false, promises: false };
const DEV: Needs = { docker: true, builds: false, promises: false };
const STRICT: Needs = { docker: true, builds: false, promises: true };
const UP: DockerUp = {
  state: "up",
  client: "28.2.2",
  server: "28.2.2",
  storageDriver: "overlay2",
  rootDir: "/var/lib/docker",
  limits: { memory: true, swap: true, processes: true, processors: true },
  seccomp: true,
  clock: { before: 1000, engine: 1010, after: 1020 },
};
const AWAY: DockerFacts = { state: "away", error: dockerErrors.error("DOCKER_UNREACHABLE", "no answer") };

/** Level and code of everything that is not well. */
function bad(findings: readonly DoctorFinding[]): string[] {
  for (const { level, fix } of findings) expect(fix !== undefined).toBe(level !== "ok");
  return findings.filter(({ level }) => level !== "ok").map(({ level, code }) => `${level} ${code}`);
}

describe("docker", () => {
  it("is well with a new engine that enforces limits", () => {
    expect(bad(judgeDocker(UP, STRICT))).toEqual([]);
  });

  it.each([
    ["an engine that does not answer, where it is needed", AWAY, DEV, ["problem DOCKER_UNREACHABLE"]],
    ["an engine that does not answer, where nothing needs it yet", AWAY, NONE, ["warning DOCKER_UNREACHABLE"]],
    ["an engine of the year 2020", { ...UP, server: "19.03.15" }, DEV, ["problem DOCTOR_DOCKER_OLD"]],
    ["an engine just too old", { ...UP, server: "20.9.9" }, DEV, ["problem DOCTOR_DOCKER_OLD"]],
    ["an engine of Debian 12", { ...UP, server: "20.10.24+dfsg1" }, DEV, ["warning DOCTOR_DOCKER_OLD"]],
    ["an old client", { ...UP, client: "22.0.1" }, DEV, ["warning DOCTOR_DOCKER_OLD"]],
    ["a version that is none", { ...UP, server: "dev" }, DEV, ["warning DOCTOR_NOT_CHECKED"]],
    ["a driver that copies", { ...UP, storageDriver: "vfs" }, DEV, ["warning DOCTOR_STORAGE_DRIVER"]],
    ["no seccomp", { ...UP, seccomp: false }, DEV, ["warning DOCTOR_DOCKER_SECCOMP"]],
    [
      "limits that nobody enforces",
      { ...UP, limits: { ...UP.limits, swap: false } },
      DEV,
      ["problem DOCTOR_DOCKER_LIMITS"],
    ],
  ] as const)("finds %s", (_, facts, needs, expected) => {
    expect(bad(judgeDocker(facts, needs))).toEqual(expected);
  });
});

describe("terraform", () => {
  it("is well with a program that deploy would take", () => {
    expect(bad(judgeTerraform({ program: { path: "tofu", version: "1.12.6" } }, DEV))).toEqual([]);
  });

  it("is a problem where a deployment needs it, with the words of deploy", () => {
    const error = dockerErrors.error("DOCKER_FAILED", "old");
    expect(bad(judgeTerraform({ error }, DEV))).toEqual(["problem DOCKER_FAILED"]);
    expect(bad(judgeTerraform({ error }, NONE))).toEqual(["warning DOCKER_FAILED"]);
    expect(bad(judgeTerraform({ error }, { ...DEV, builds: true }))).toEqual(["warning DOCKER_FAILED"]);
  });
});

describe("cdk", () => {
  const manifest = (name: string, version: string) => JSON.stringify({ name, version });
  const judge = (files: Readonly<Record<string, string>>, folders = ["/app/node_modules", "/node_modules"]) =>
    bad(judgeCdk(gatherCdk(fakeMachine({ files }), folders), DEV));
  const cdktf = { "/app/node_modules/cdktf/package.json": manifest("cdktf", "0.21.0") };

  it("is well with cdktf alone, and with cdktn under its name", () => {
    expect(judge(cdktf)).toEqual([]);
    const alias = manifest("cdktn", "0.24.0");
    expect(judge({ "/app/node_modules/cdktf/package.json": alias })).toEqual([]);
    expect(
      judge({ "/app/node_modules/cdktf/package.json": alias, "/app/node_modules/cdktn/package.json": alias }),
    ).toEqual([]);
  });

  it("finds both, in one folder or further up", () => {
    for (const folder of ["/app/node_modules", "/node_modules"]) {
      const both = { ...cdktf, [`${folder}/cdktn/package.json`]: manifest("cdktn", "0.24.0") };
      expect(judge(both)).toEqual(["warning DOCTOR_CDK_TWO"]);
    }
  });

  it("finds none at all", () => {
    expect(judge({})).toEqual(["problem DOCTOR_CDK_MISSING"]);
    expect(judge({ "/app/node_modules/cdktn/package.json": manifest("cdktn", "0.24.0") })).toEqual([
      "problem DOCTOR_CDK_MISSING",
    ]);
  });
});

describe("images", () => {
  const lock = { source: "packages", images: {} } as const;
  const wrong = [{ code: "IMAGE_MISSING", path: "images.broker", message: "gone", fix: "build it" }];

  it("are well when all are locked and there", () => {
    expect(bad(judgeImages({ lock, names: ["broker"], wrong: [] }, STRICT))).toEqual([]);
  });

  it("need a lock, but for profile dev", () => {
    expect(bad(judgeImages({ lock: undefined }, STRICT))).toEqual(["problem DOCTOR_IMAGES_UNLOCKED"]);
    expect(bad(judgeImages({ lock: undefined }, DEV))).toEqual(["warning DOCTOR_IMAGES_UNLOCKED"]);
  });

  it("are a problem when one is missing, or the lock cannot be checked", () => {
    expect(bad(judgeImages({ lock, names: ["broker"], wrong }, DEV))).toEqual(["problem IMAGE_MISSING"]);
    const error = dockerErrors.error("DOCKER_UNREACHABLE", "no answer");
    expect(bad(judgeImages({ error }, DEV))).toEqual(["problem DOCKER_UNREACHABLE"]);
  });
});

describe("ports", () => {
  const port: PortFacts = { id: "broker.mqtts", where: "tcp 127.0.0.1:8883", state: "free", holder: undefined };
  const taken = { ...port, state: "taken" } as const;

  it("are well when free, or held by the deployment's own container", () => {
    expect(bad(judgePorts([port], "demo"))).toEqual([]);
    expect(bad(judgePorts([{ ...taken, holder: { container: "broker", state: "demo" } }], "demo"))).toEqual([]);
  });

  it.each([
    ["held by a program", taken, "problem DOCTOR_PORT_TAKEN"],
    ["held by a container of nobody", { ...taken, holder: { container: "x", state: "" } }, "problem DOCTOR_PORT_TAKEN"],
    [
      "held by another deployment",
      { ...taken, holder: { container: "broker", state: "other" } },
      "problem DOCTOR_PORT_TAKEN",
    ],
    ["on an address of another machine", { ...port, state: "no-address" }, "problem DOCTOR_PORT_ADDRESS"],
    ["below 1024 for a user who may not", { ...port, state: "forbidden" }, "warning DOCTOR_NOT_CHECKED"],
  ] as const)("are not when %s", (_, facts, expected) => {
    expect(bad(judgePorts([facts], "demo"))).toEqual([expected]);
  });

  it("does not take a container without a label for that of a deployment without a name", () => {
    expect(bad(judgePorts([{ ...taken, holder: undefined }], ""))).toHaveLength(1);
  });
});

describe("disk", () => {
  const GIB = 2 ** 30;
  const judge = (freeBytes: number, root: string | undefined = "/var/lib/docker") =>
    bad(
      judgeDisk(
        gatherDisk(
          fakeMachine({ freeBytes, devices: { "/srv": "8:1", "/var/lib/docker": "8:1" } }),
          "/srv/not/yet",
          root,
        ),
      ),
    );

  it("is measured above a state directory that is not there yet", () => {
    expect(judge(10 * GIB)).toEqual([]);
  });

  it("warns before it is full, and is a problem when deploying would fill it", () => {
    expect(judge(10 * GIB - 1)).toEqual(["warning DOCTOR_DISK_LOW", "warning DOCTOR_DISK_LOW"]);
    expect(judge(2 * GIB - 1)).toEqual(["problem DOCTOR_DISK_LOW", "problem DOCTOR_DISK_LOW"]);
  });

  it("says that docker's disk is another machine's", () => {
    expect(judge(10 * GIB, "/mnt/vm/docker")).toEqual(["warning DOCTOR_NOT_CHECKED"]);
  });
});

describe("clock", () => {
  const CHRONY = "A9FE7B7B,169.254.123.123,4,1763.1,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,64.0,";
  const judge = async (programs: Readonly<Record<string, string>>, needs = DEV, docker: DockerFacts = UP) =>
    bad(judgeClock(await gatherClock(fakeMachine({ programs })), docker, needs));

  it("is well when systemd or chrony says so", async () => {
    expect(await judge({ timedatectl: "yes\n" })).toEqual([]);
    expect(await judge({ chronyc: `${CHRONY}Normal\n` })).toEqual([]);
    expect(await judge({ timedatectl: "no\n", chronyc: `${CHRONY}Normal\n` })).toEqual([]);
  });

  it.each([
    ["systemd denies it", { timedatectl: "no\n" }, STRICT, "problem"],
    ["systemd denies it in dev", { timedatectl: "no\n" }, DEV, "warning"],
    ["chrony denies it", { chronyc: `${CHRONY}Not synchronised\n` }, STRICT, "problem"],
    ["nobody can be asked", {}, STRICT, "warning"],
  ] as const)("is not when %s", async (_, programs, needs, level) => {
    expect(await judge(programs, needs)).toEqual([`${level} DOCTOR_CLOCK_UNSYNCHRONISED`]);
  });

  it.each([
    ["a second late", { before: 5001, engine: 4000, after: 5002 }, ["warning DOCTOR_CLOCK_APART"]],
    ["a minute early", { before: 0, engine: 60_001, after: 1 }, ["problem DOCTOR_CLOCK_APART"]],
    ["read within a slow answer", { before: 0, engine: 5000, after: 9000 }, []],
    ["no time at all", { before: 0, engine: Number.NaN, after: 1 }, ["warning DOCTOR_NOT_CHECKED"]],
  ] as const)("compares docker's: %s", async (_, clock, expected) => {
    expect(await judge({ timedatectl: "yes" }, DEV, { ...UP, clock })).toEqual(expected);
  });

  it("says when docker's could not be compared", async () => {
    expect(await judge({ timedatectl: "yes" }, DEV, AWAY)).toEqual(["warning DOCTOR_NOT_CHECKED"]);
  });
});
