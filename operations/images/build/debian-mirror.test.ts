import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { debianSources } from "./debian-mirror.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-mirror-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** An environment whose apt-get prints that. */
function apt(name: string, printed: string): NodeJS.ProcessEnv {
  const bin = mkdtempSync(join(folder, name));
  writeFileSync(join(bin, "apt-get"), `#!/bin/sh\ncat <<'END'\n${printed}\nEND\n`);
  chmodSync(join(bin, "apt-get"), 0o755);
  return { PATH: `${bin}:/usr/bin:/bin` };
}

describe("debianSources", () => {
  it("takes the mirror that the environment names, before this machine's", async () => {
    const env = {
      ...apt("a", "Debian http://other.example/debian/"),
      TRUSTKERN_DEBIAN_MIRROR: "https://mirror.example/",
    };
    expect((await debianSources(env)).split("\n")).toEqual([
      "deb https://mirror.example/debian bookworm main",
      "deb https://mirror.example/debian bookworm-updates main",
      "deb https://mirror.example/debian bookworm-backports main",
      "deb https://mirror.example/debian-security bookworm-security main",
      "",
    ]);
  });

  it("takes this machine's own mirror otherwise", async () => {
    const env = apt(
      "b",
      "Debian http://mirror.example/debian/\nDebian-Security http://mirror.example/debian-security/",
    );
    expect(await debianSources(env)).toContain("deb http://mirror.example/debian/ bookworm-backports main\n");
    expect(await debianSources(env)).toContain("deb http://mirror.example/debian-security/ bookworm-security main\n");
  });

  it.each([
    ["a machine without apt", { PATH: folder }],
    ["a machine of another distribution", apt("c", "Ubuntu http://mirror.example/ubuntu/")],
    ["a mirror without security updates", apt("d", "Debian http://mirror.example/debian/")],
    ["a mirror that is no URL", { PATH: folder, TRUSTKERN_DEBIAN_MIRROR: "mirror.example" }],
    ["a mirror with credentials", { PATH: folder, TRUSTKERN_DEBIAN_MIRROR: "https://me:word@mirror.example" }],
  ])("refuses %s", async (_, env) => {
    await expect(debianSources(env)).rejects.toMatchObject({ code: "IMAGES_MIRROR_MISSING" });
  });
});
