import { describe, expect, it } from "vitest";
import type { DockerCli } from "../../host/docker-cli.ts";
import { type IsOwnProcess, reloadContainers } from "./reload.ts";

const inspected = (name: string, pid: number, running = true) => ({
  Id: `id-${name}`,
  Name: `/${name}`,
  Image: "sha256:0",
  RestartCount: 0,
  State: { Status: running ? "running" : "exited", Running: running, ExitCode: 0, Pid: pid, StartedAt: "" },
  Config: { User: "", Labels: null },
  HostConfig: { Privileged: false, ReadonlyRootfs: true, Memory: 0, NetworkMode: "bridge" },
  Mounts: [],
  NetworkSettings: { Networks: {} },
});

/** What is signalled past the engine, and what the engine is asked to signal. */
async function reload(containers: readonly object[], isOwn?: IsOwnProcess, kill?: () => void) {
  const signalled: number[] = [];
  const asked: string[] = [];
  const docker: DockerCli = async (args) => {
    if (args[0] === "kill") asked.push(args.join(" "));
    return { stdout: JSON.stringify(containers), stderr: "", code: 0 };
  };
  await reloadContainers(["gateways-ca", "operators-ca"], {
    docker,
    ...(isOwn === undefined ? {} : { isOwn }),
    kill: (pid) => {
      kill?.();
      signalled.push(pid);
    },
  });
  return { signalled, asked };
}

describe("reloadContainers", () => {
  it("signals past the engine, so that a failure afterwards still starts the container again", async () => {
    const both = [inspected("gateways-ca", 41), inspected("operators-ca", 42)];
    expect(await reload(both, () => true)).toEqual({ signalled: [41, 42], asked: [] });
  });

  it("signals no process that is not the container's, such as one of this machine with a number of another", async () => {
    const virtual = [inspected("gateways-ca", process.pid)];
    expect(await reload(virtual)).toEqual({ signalled: [], asked: ["kill --signal HUP gateways-ca"] });
    expect(await reload([inspected("gateways-ca", 2 ** 30)])).toMatchObject({ signalled: [] });
  });

  it("asks the engine for a process that this user may not signal", async () => {
    const refused = () => {
      throw Object.assign(new Error("not permitted"), { code: "EPERM" });
    };
    const { asked } = await reload([inspected("operators-ca", 42)], () => true, refused);
    expect(asked).toEqual(["kill --signal HUP operators-ca"]);
  });

  it("signals nothing that does not run: it reads its files when it starts", async () => {
    expect(await reload([inspected("gateways-ca", 0, false)], () => true)).toEqual({ signalled: [], asked: [] });
  });
});
