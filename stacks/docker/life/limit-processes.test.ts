import { describe, expect, it } from "vitest";
import type { DockerCli } from "../../host/docker-cli.ts";
import { limitProcesses } from "./limit-processes.ts";
import type { Rendered } from "./render.ts";

const plan = { containers: [{ name: "gateways-ca", pids: 64 }] } as unknown as Rendered["plan"];
const container = (PidsLimit: number | null) => ({
  ...{ Id: "1", Name: "/gateways-ca", Image: "sha256:0", RestartCount: 0, Mounts: [] },
  State: { Status: "running", Running: true, ExitCode: 0, Pid: 1, StartedAt: "" },
  Config: { User: "", Labels: null },
  HostConfig: { Privileged: false, ReadonlyRootfs: true, Memory: 0, NetworkMode: "bridge", PidsLimit },
  NetworkSettings: { Networks: {} },
});

/** What the engine is asked to update, while the first `refusals` answers are refusals. */
async function limit(now: number | null, refusals: number, becomeHealthy = async (): Promise<void> => undefined) {
  const updates: string[] = [];
  const docker: DockerCli = async (args) => {
    if (args[0] !== "update") return { code: 0, stdout: JSON.stringify([container(now)]), stderr: "" };
    updates.push(args.join(" "));
    return { code: updates.length <= refusals ? 1 : 0, stdout: "", stderr: "is restarting" };
  };
  await limitProcesses({ docker }, { plan }, becomeHealthy);
  return updates;
}

describe("limitProcesses", () => {
  it("sets the limit where another one is, and nothing where it is set", async () => {
    expect(await limit(null, 0)).toEqual(["update --pids-limit 64 gateways-ca"]);
    expect(await limit(64, 0)).toEqual([]);
  });

  it("sets it once a container that was starting again is healthy", async () => {
    expect(await limit(null, 1)).toHaveLength(2);
  });

  it("says why a container does not run, and not that it takes no limit", async () => {
    const why = () => Promise.reject(Object.assign(new Error("its key"), { code: "COMPONENT_UNHEALTHY" }));
    await expect(limit(null, 1, why)).rejects.toMatchObject({ code: "COMPONENT_UNHEALTHY" });
  });

  it("says that the engine refuses a limit for a container that is well", async () => {
    await expect(limit(null, 2)).rejects.toMatchObject({ code: "DOCKER_FAILED" });
  });
});
