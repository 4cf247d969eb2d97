import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import type { ProbeAnswer } from "../../../shared/prober.ts";
import { type DockerCli, dockerErrors } from "../../../stacks/host/docker-cli.ts";
import { askProber } from "./ask-prober.ts";
import { probeImage } from "./probe-image.ts";
import { runProbe, sweepProbes } from "./run-probe.ts";

const REQUEST = { container: "broker", program: "/usr/bin/node", args: ["/app/main.mjs"], timeoutMs: 1000 } as const;
const NOTHING: ProbeAnswer = {
  listeners: [],
  addresses: [],
  routes: [],
  reach: [],
  handshakes: [],
  names: [],
  sent: [],
  heard: [],
};

/** A docker client that answers `run` with this, and remembers what it was asked. */
function playing(run: Partial<Awaited<ReturnType<DockerCli>>> | Error, listed = "") {
  const calls: (readonly string[])[] = [];
  const docker: DockerCli = async (args) => {
    calls.push(args);
    if (args[0] === "ps") return { stdout: listed, stderr: "", code: 0 };
    if (args[0] === "run" && run instanceof Error) throw run;
    return { stdout: "", stderr: "", code: 0, ...(args[0] === "run" ? run : {}) };
  };
  return { docker, calls };
}

describe("runProbe", () => {
  it("gives a helper the namespace of the container, and no right, log, or file to write", async () => {
    const { docker, calls } = playing({});
    await runProbe(docker, "sha256:abc", { ...REQUEST, mounts: [{ source: "/s/a,b", target: "/run/secrets" }] });
    const line = calls[0]!.join(" ");
    for (const part of [
      "--network container:broker",
      "--cap-drop ALL --security-opt no-new-privileges --read-only --user 10001:10001",
      "--log-driver none",
      '--mount type=bind,"source=/s/a,b","target=/run/secrets",readonly',
      "--entrypoint /usr/bin/node sha256:abc /app/main.mjs",
    ]) {
      expect(line).toContain(part);
    }
    expect(line).not.toContain("--cap-add");
    expect(line).toMatch(/--rm .*--pull never/);
  });

  it("is root with the capability that is asked for alone", async () => {
    const { docker, calls } = playing({});
    await runProbe(docker, "i", { ...REQUEST, container: "host", capabilities: ["NET_RAW"] });
    const line = calls[0]!.join(" ");
    expect(line).toContain("--network host --cap-drop ALL --cap-add NET_RAW --cap-add SETGID ");
    expect(line).toContain("--user 0:0");
  });

  it("hands over bytes that are no text", async () => {
    const bytes = Buffer.from([0xd4, 0xc3, 0xb2, 0xa1, 0xff]);
    const { docker } = playing({ bytes });
    expect((await runProbe(docker, "i", REQUEST)).stdout).toEqual(bytes);
  });

  it.each([
    ["takes too long", dockerErrors.error("DOCKER_FAILED", "docker run did not end within 1 s")],
    ["does not start", { code: 125, stderr: "No such container: broker" }],
    ["has no such program", { code: 127, stderr: "not found" }],
  ])("says so and removes it where it %s", async (_, run) => {
    const { docker, calls } = playing(run);
    await expect(runProbe(docker, "i", REQUEST)).rejects.toMatchObject({ code: "PROBE_FAILED", path: "broker" });
    expect(calls.at(-1)).toEqual(["rm", "--force", expect.stringMatching(/^tk-probe-/)]);
  });

  it("does not call an engine that is away a probe that failed", async () => {
    const { docker } = playing(dockerErrors.error("DOCKER_UNREACHABLE", "docker run"));
    await expect(runProbe(docker, "i", REQUEST)).rejects.toMatchObject({ code: "DOCKER_UNREACHABLE" });
  });

  it("starts none once it is cancelled", async () => {
    const { docker, calls } = playing({});
    const signal = AbortSignal.abort();
    await expect(runProbe(docker, "i", { ...REQUEST, signal })).rejects.toMatchObject({ code: "PROBE_FAILED" });
    expect(calls).toEqual([]);
  });

  it("removes one whose client was stopped, and keeps what it wrote", async () => {
    const { docker, calls } = playing({ code: -1, stdout: "half" });
    expect((await runProbe(docker, "i", REQUEST)).stdout.toString()).toBe("half");
    expect(calls.at(-1)?.[0]).toBe("rm");
  });
});

describe("sweepProbes", () => {
  it("removes what a run left that was killed, and nothing of one that goes on", async () => {
    const own = playing({});
    await runProbe(own.docker, "i", REQUEST);
    const label = own.calls[0]![own.calls[0]!.indexOf("--label") + 1]!.split("=")[1]!;
    const dead = spawnSync("true").pid;
    // bbb's process is gone, ccc's number is another process's now, ddd is of a run that said something else.
    const { docker, calls } = playing({}, `aaa ${label}\nbbb ${dead}-1\nccc ${process.pid}-1\nddd 11111111\neee\n`);
    await sweepProbes(docker);
    expect(calls.at(-1)).toEqual(["rm", "--force", "bbb", "ccc", "ddd", "eee"]);
  });

  it("removes nothing where nothing is left", async () => {
    const { docker, calls } = playing({});
    await sweepProbes(docker);
    expect(calls).toHaveLength(1);
  });
});

describe("askProber", () => {
  const asking = { container: "broker", timeoutMs: 1000, question: { names: ["example.org"] } };

  it("gives the answer of the prober", async () => {
    const { docker } = playing({ stdout: JSON.stringify({ ...NOTHING, names: [false] }) });
    expect((await askProber(docker, "i", asking)).names).toEqual([false]);
  });

  it.each([
    ["ended with an error", { code: 1, stderr: "boom\n" }],
    ["answered no JSON", { stdout: "{" }],
    ["answered something else", { stdout: JSON.stringify({ ...NOTHING, reach: ["maybe"] }) }],
  ])("is no answer where it %s", async (_, run) => {
    const { docker } = playing(run);
    await expect(askProber(docker, "i", asking)).rejects.toMatchObject({ code: "PROBE_FAILED" });
  });
});

describe("probeImage", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const pins = (source: "registry" | "packages") =>
    ({ source, images: { probe: { reference: "m.example/trustkern/probe:1", digest } } }) as const;
  /** An engine that has the image or not, and a registry that has it or not. */
  const engine =
    (present: boolean, inRegistry = false): DockerCli =>
    async ([command]) => {
      if (command === "image") {
        const stdout = JSON.stringify({ Id: digest });
        return present ? { stdout, stderr: "", code: 0 } : { stdout: "", stderr: "No such image", code: 1 };
      }
      return { stdout: "", stderr: "denied", code: inRegistry ? 0 : 1 };
    };

  it("is what the lock says, by its id or its digest", async () => {
    expect(await probeImage(engine(true), pins("packages"))).toBe(digest);
    expect(await probeImage(engine(true), pins("registry"))).toBe(`m.example/trustkern/probe@${digest}`);
    expect(await probeImage(engine(false, true), pins("registry"))).toBe(`m.example/trustkern/probe@${digest}`);
  });

  it.each([
    ["the engine has not", engine(false), pins("packages")],
    ["neither engine nor registry has", engine(false), pins("registry")],
    ["the lock does not name", engine(true), { source: "packages", images: {} } as const],
  ])("is none that %s", async (_, docker, images) => {
    await expect(probeImage(docker, images)).rejects.toMatchObject({ code: "PROBE_FAILED" });
  });
});
