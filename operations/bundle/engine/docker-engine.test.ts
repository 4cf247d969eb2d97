import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import type { DockerAnswer, DockerCli } from "../../../stacks/host/docker-cli.ts";
import { dockerEngine } from "./docker-engine.ts";

const { signal } = new AbortController();

/** A client that answers by the first words of what it is asked, and remembers all. */
function client(answers: Readonly<Record<string, Partial<DockerAnswer>>>) {
  const asked: string[] = [];
  const docker: DockerCli = async (args, call) => {
    const line = args.join(" ");
    asked.push(line);
    if (call?.input instanceof Readable) await buffer(call.input).catch(() => undefined);
    const known = Object.keys(answers).find((words) => line.startsWith(words));
    return { stdout: "", stderr: "", code: 0, ...(known === undefined ? {} : answers[known]) };
  };
  return { docker, asked };
}

describe("the Docker Engine of a site", () => {
  it("is refused when it keeps images in containerd's store, whose ids nobody can foretell", async () => {
    const { docker } = client({ info: { stdout: '[["driver-type","io.containerd.snapshotter.v1"]]' } });
    await expect(dockerEngine(docker).look()).rejects.toMatchObject({ code: "BUNDLE_IMAGES_REFUSED" });
  });

  it("says which images it has, by id and by name, also those without a name", async () => {
    const found = [
      { Id: "sha256:a", RepoTags: ["x:1", "x:bundle-1"], RootFS: { Layers: ["l1", "l2"] } },
      { Id: "sha256:b", RepoTags: null, RootFS: {} },
    ];
    const { docker } = client({
      info: { stdout: "null" },
      "image ls": { stdout: "sha256:a\nsha256:a\nsha256:b\n" },
      "image inspect sha256:a sha256:b": { stdout: JSON.stringify(found) },
    });
    const { images, tags } = await dockerEngine(docker).look();
    expect([...images]).toEqual([
      ["sha256:a", ["l1", "l2"]],
      ["sha256:b", []],
    ]);
    expect([...tags]).toEqual([
      ["x:1", "sha256:a"],
      ["x:bundle-1", "sha256:a"],
    ]);
  });

  it("has refused an archive when the client says so", async () => {
    const { docker } = client({ "image load": { code: 1, stderr: "no space left on device" } });
    const load = dockerEngine(docker).load(Readable.from(["x"]), signal);
    await expect(load).rejects.toMatchObject({ code: "BUNDLE_IMAGES_REFUSED" });
  });

  it("says what is wrong with the bundle, and not that the engine refused it", async () => {
    const { docker } = client({ "image load": { code: 1, stderr: "unexpected EOF" } });
    const damaged = Object.assign(new Error("not what the manifest says"), { code: "BUNDLE_DAMAGED" });
    const archive = new Readable({ read: () => archive.destroy(damaged) });
    await expect(dockerEngine(docker).load(archive, signal)).rejects.toMatchObject({ code: "BUNDLE_DAMAGED" });
  });

  it("stops and removes what belongs to the state directory alone", async () => {
    const { docker, asked } = client({ ps: { stdout: "c1\nc2\n" }, "network ls": { stdout: "n1\n" } });
    await dockerEngine(docker).remove("/site/state");
    expect(
      asked.filter((line) => /^(?:ps|network ls)/.test(line)).every((line) => /label=trustkern\.state=/.test(line)),
    ).toBe(true);
    expect(asked.filter((line) => /^(?:stop|rm|network rm)/.test(line)).map((line) => line.split(" ").at(-1))).toEqual([
      "c2",
      "c2",
      "n1",
    ]);
  });

  it("gives each container the time to end that its deployment says, and no other", async () => {
    const { docker, asked } = client({ ps: { stdout: "c1\nc2\n" } });
    await dockerEngine(docker).stop("/site/state");
    expect(asked.at(-1)).toBe("stop c1 c2");
  });

  it("stops nothing where nothing runs", async () => {
    const { docker, asked } = client({});
    await dockerEngine(docker).stop("/site/state");
    expect(asked).toHaveLength(1);
  });
});
