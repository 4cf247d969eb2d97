import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { afterAll, describe, expect, it } from "vitest";
import type { LayerEntries } from "./layer.ts";
import { fetchRootfs } from "./rootfs.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-rootfs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type File = Parameters<ReturnType<typeof pack>["entry"]>[0] & { readonly content?: string };

/** A package that every fake has, with its record. */
const RECORD = "Package: base-x\nVersion: 1\n";
const BASE: readonly File[] = [
  { name: "./usr/lib/base-x.so", content: "b" },
  { name: "./var/lib/dpkg/status.d/base-x", content: RECORD },
  { name: "./var/lib/dpkg/info/base-x.list", content: "./\n./usr/lib/base-x.so\n" },
];

/** A `mmdebstrap` that prints a tar of these files and of the package base-x, or what `script` says. */
async function fakeMmdebstrap(
  files: readonly File[],
  script = "",
  base: readonly File[] = BASE,
): Promise<NodeJS.ProcessEnv> {
  const tar = pack();
  for (const { content = "", ...header } of [...files, ...base]) tar.entry(header, content);
  tar.finalize();
  const bin = mkdtempSync(join(folder, "bin-"));
  writeFileSync(join(bin, "out.tar"), Buffer.concat(await Readable.from(tar).toArray()));
  writeFileSync(join(bin, "mmdebstrap"), `#!/bin/sh\n${script}\nexec cat '${bin}/out.tar'\n`);
  chmodSync(join(bin, "mmdebstrap"), 0o755);
  return { PATH: `${bin}:/usr/bin:/bin` };
}

function fetchWith(env: NodeJS.ProcessEnv, programs: readonly string[] = [], signal = new AbortController().signal) {
  const mirrored = { ...env, TRUSTKERN_DEBIAN_MIRROR: "http://mirror.example" };
  return fetchRootfs({ packages: ["some"], programs, downloads: folder, env: mirrored, signal });
}

const pathsOf = (entries: LayerEntries): readonly string[] => [...entries.keys()].sort();
const skeleton = [
  "etc/group",
  "etc/nsswitch.conf",
  "etc/os-release",
  "etc/passwd",
  "tmp",
  "usr/lib/base-x.so",
  "var/lib/dpkg/status.d/base-x",
];

describe("fetchRootfs", () => {
  it("keeps libraries, certificates, licences and the named programs", async () => {
    const env = await fakeMmdebstrap([
      { name: "./bin", type: "symlink", linkname: "usr/bin" },
      { name: "./usr/bin/", type: "directory" },
      { name: "./usr/bin/wanted", mode: 0o755, content: "w" },
      { name: "./usr/lib/x86_64-linux-gnu/libc.so.6", content: "c" },
      { name: "./usr/share/doc/libc6/copyright", content: "c" },
    ]);
    const entries = await fetchWith(env, ["usr/bin/wanted"]);
    expect(pathsOf(entries)).toEqual(
      [
        ...skeleton,
        "bin",
        "usr/bin/wanted",
        "usr/lib/x86_64-linux-gnu/libc.so.6",
        "usr/share/doc/libc6/copyright",
      ].sort(),
    );
    expect(entries.get("usr/bin/wanted")).toMatchObject({ executable: true });
  });

  it("keeps of PKCS #11 modules the one that speaks to a server alone", async () => {
    const modules = ["p11-kit-client.so", "p11-kit-trust.so", "opensc-pkcs11.so"];
    const env = await fakeMmdebstrap(modules.map((name) => ({ name: `./usr/lib/x86_64-linux-gnu/pkcs11/${name}` })));
    const kept = pathsOf(await fetchWith(env)).filter((path) => path.includes("/pkcs11/"));
    expect(kept).toEqual(["usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so"]);
  });

  it("leaves out shells, package managers, set-user-id programs, scripts and devices", async () => {
    const env = await fakeMmdebstrap([
      { name: "./usr/bin/sh", mode: 0o755 },
      { name: "./usr/bin/apt-get", mode: 0o755 },
      { name: "./usr/bin/su", mode: 0o4755 },
      { name: "./usr/lib/apt/methods/http", mode: 0o755 },
      { name: "./usr/lib/ssl/misc/CA.pl", mode: 0o755 },
      { name: "./etc/shadow", content: "root" },
      { name: "./var/lib/dpkg/status", content: "x" },
      { name: "./var/lib/dpkg/status.d/.hidden", content: "x" },
      { name: "./var/lib/dpkg/status.d/base-x/postinst", content: "x" },
      { name: "./var/lib/dpkg/info/base-x.postinst", content: "x" },
      { name: "./dev/null", type: "character-device", devmajor: 1, devminor: 3 },
    ]);
    expect(pathsOf(await fetchWith(env))).toEqual(skeleton);
  });

  it("keeps what each package says of itself, byte for byte", async () => {
    const entries = await fetchWith(await fakeMmdebstrap([]));
    expect(entries.get("var/lib/dpkg/status.d/base-x")).toEqual({ kind: "file", content: Buffer.from(RECORD) });
  });

  it("has no record of a package of which nothing but the licence is kept", async () => {
    const env = await fakeMmdebstrap([
      { name: "./usr/bin/passwd", mode: 0o755 },
      { name: "./usr/share/doc/passwd/copyright", content: "c" },
      { name: "./var/lib/dpkg/status.d/passwd", content: "Package: passwd\n" },
      { name: "./var/lib/dpkg/info/passwd.list", content: "./usr/bin/passwd\n./usr/share/doc/passwd/copyright\n" },
    ]);
    const paths = pathsOf(await fetchWith(env));
    expect(paths).toContain("usr/share/doc/passwd/copyright");
    expect(paths).not.toContain("var/lib/dpkg/status.d/passwd");
  });

  it.each([
    [
      "a file that its package has below lib/",
      "./usr/lib/x86_64-linux-gnu/libc.so.6",
      "./lib/x86_64-linux-gnu/libc.so.6",
    ],
    [
      "a certificate that became part of the one file",
      "./usr/share/ca-certificates/mozilla/A.crt",
      "./usr/share/ca-certificates/mozilla/A.crt",
    ],
  ])("has the record of a package for %s", async (_, name, listed) => {
    const env = await fakeMmdebstrap([
      { name, content: "c" },
      { name: "./var/lib/dpkg/status.d/some", content: "Package: some\n" },
      { name: "./var/lib/dpkg/info/some.list", content: `./\n${listed}\n` },
    ]);
    expect(pathsOf(await fetchWith(env))).toContain("var/lib/dpkg/status.d/some");
  });

  it("refuses packages of which there is no record", async () => {
    const env = await fakeMmdebstrap([{ name: "./usr/lib/x86_64-linux-gnu/libc.so.6", content: "c" }], "", []);
    await expect(fetchWith(env)).rejects.toMatchObject({ code: "IMAGES_PACKAGES_FAILED" });
  });

  it("says which release the packages are of", async () => {
    const release = (await fetchWith(await fakeMmdebstrap([]))).get("etc/os-release");
    expect(release?.kind === "file" && Buffer.from(release.content).toString()).toMatch(/^ID=debian$/m);
  });

  it("drops set-user-id from a program that it keeps", async () => {
    const entries = await fetchWith(await fakeMmdebstrap([{ name: "./usr/bin/su", mode: 0o4755 }]), ["usr/bin/su"]);
    expect(entries.get("usr/bin/su")).toEqual({ kind: "file", content: Buffer.alloc(0), executable: true });
  });

  it("joins the certificates into one file, in the order of their names", async () => {
    const certificates = "./usr/share/ca-certificates/mozilla";
    const env = await fakeMmdebstrap([
      { name: `${certificates}/B.crt`, content: "B\n" },
      { name: `${certificates}/A.crt`, content: "A\n" },
      { name: "./usr/share/ca-certificates/own/C.crt", content: "C\n" },
    ]);
    const bundle = (await fetchWith(env)).get("etc/ssl/certs/ca-certificates.crt");
    expect(bundle).toEqual({ kind: "file", content: Buffer.from("A\nB\n") });
  });

  it.each([
    ["a program that the packages lack", [], ["usr/bin/wanted"], ""],
    [
      "a kept path that is no file and no link",
      [{ name: "./usr/bin/x", type: "link", linkname: "./usr/bin/y" }],
      ["usr/bin/x"],
      "",
    ],
    ["a mmdebstrap that fails, with its last words", [], [], "echo 'E: no such package' >&2; exit 25"],
    ["output that is no tar", [], [], "echo 'not a tar, and longer than nothing at all'; exit 0"],
  ] as const)("reports %s", async (_, files, programs, script) => {
    const env = await fakeMmdebstrap(files, script);
    await expect(fetchWith(env, programs)).rejects.toMatchObject({ code: "IMAGES_PACKAGES_FAILED" });
  });

  it("says what mmdebstrap said", async () => {
    const env = await fakeMmdebstrap([], "echo 'E: no such package' >&2; exit 25");
    await expect(fetchWith(env)).rejects.toThrow(/E: no such package/);
  });

  it("reports a machine without mmdebstrap", async () => {
    await expect(fetchWith({ PATH: folder })).rejects.toMatchObject({ code: "IMAGES_MMDEBSTRAP_MISSING" });
  });

  it("ends mmdebstrap when it is cancelled", async () => {
    const env = await fakeMmdebstrap([], "exec sleep 60");
    const cancelled = AbortSignal.timeout(100);
    await expect(fetchWith(env, [], cancelled)).rejects.toMatchObject({ code: "IMAGES_CANCELLED" });
  });
});
