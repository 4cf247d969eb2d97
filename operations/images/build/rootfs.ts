import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { messageOf } from "../../../shared/errors.ts";
import { imagesErrors } from "../errors.ts";
import { debianSources, RELEASE, RELEASE_VERSION } from "./debian-mirror.ts";
import type { LayerEntries, LayerEntry } from "./layer.ts";
import { isPackageRecord, KEEP_RECORDS, PACKAGE_RECORDS, recordsOf } from "./package-records.ts";
import { eachEntry, type TarEntry } from "./tar-entries.ts";

/** What the Node runtime and every program in C or Go needs, and nothing that a shell or a package manager is. */
export const RUNTIME_PACKAGES: readonly string[] = [
  "libc6",
  "libgcc-s1",
  "libstdc++6",
  "libatomic1",
  "ca-certificates",
];

/** User that a container has when nobody names one. */
export const IMAGE_USER = "10001:10001";

const PASSWD = `root:x:0:0:root:/:/usr/sbin/nologin
trustkern:x:10001:10001:trustkern:/:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/:/usr/sbin/nologin
`;
const GROUP = "root:x:0:\ntrustkern:x:10001:\nnogroup:x:65534:\n";

/** By this scanners know whose packages the records name. */
const OS_RELEASE = `PRETTY_NAME="Debian GNU/Linux ${RELEASE_VERSION} (${RELEASE})"
NAME="Debian GNU/Linux"
VERSION_ID="${RELEASE_VERSION}"
VERSION="${RELEASE_VERSION} (${RELEASE})"
VERSION_CODENAME=${RELEASE}
ID=debian
`;

const BUNDLE = "etc/ssl/certs/ca-certificates.crt";
const CERTIFICATE = /^usr\/share\/ca-certificates\/mozilla\/.*\.crt$/;
const KEPT = [
  // Shared libraries and what leads to them; character sets, engines and the like are for programs that are not here.
  /^(?:bin|sbin|lib|lib32|lib64|libx32)$/,
  /^usr\/lib(?:32|64|x32)?\/(?:[^/]+\/)?[^/]+\.so(?:\.[^/]*)?$/,
  /^usr\/lib\/[^/]+\/ossl-modules\/[^/]+\.so$/,
  // Of the modules of p11-kit the one that speaks to the host's token by a socket.
  /^usr\/lib\/[^/]+\/pkcs11\/p11-kit-client\.so$/,
  /^usr\/lib\/ssl\/(?:cert\.pem|certs|openssl\.cnf)$/,
  /^etc\/ssl\/openssl\.cnf$/,
  /^usr\/share\/doc\/[^/]+\/copyright$/,
];

/** What fetching packages needs. */
export interface RootfsRequest {
  readonly packages: readonly string[];
  /** Paths of the programs that are kept, without a leading slash. */
  readonly programs: readonly string[];
  /** Folder that keeps the downloaded packages. */
  readonly downloads: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/**
 * The files of Debian packages, with all that they depend on, as a root file system without a shell: libraries, certificates,
 * the named programs, and a record of each package that they are of. No script of a package runs.
 * @throws IMAGES_MMDEBSTRAP_MISSING, IMAGES_MIRROR_MISSING, IMAGES_PACKAGES_FAILED
 */
export async function fetchRootfs(request: RootfsRequest): Promise<LayerEntries> {
  const wanted = new Set(request.programs);
  const entries = await unpackWith(request, (path) => wanted.has(path) || KEPT.some((rule) => rule.test(path)));
  const missing = request.programs.filter((program) => !entries.has(program));
  if (missing.length > 0)
    throw imagesErrors.error(
      "IMAGES_PACKAGES_FAILED",
      `the packages ${request.packages.join(", ")} have no ${missing.join(", ")}`,
    );
  if (![...entries.keys()].some((path) => path.startsWith(`${PACKAGE_RECORDS}/`)))
    throw imagesErrors.error("IMAGES_PACKAGES_FAILED", "mmdebstrap did not say which packages it unpacked");
  return entries;
}

async function unpackWith(request: RootfsRequest, keep: (path: string) => boolean): Promise<LayerEntries> {
  const sources = await debianSources(request.env);
  const child = spawn("mmdebstrap", mmdebstrapArguments(request), {
    env: { ...request.env, SOURCE_DATE_EPOCH: "0" },
    stdio: ["pipe", "pipe", "pipe"],
    signal: request.signal,
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(sources);
  const said: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => said.push(chunk));
  const ended = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  try {
    const [entries, code] = await Promise.all([rootfsOf(child.stdout, keep), ended]);
    if (code === 0) return entries;
  } catch (cause) {
    if (request.signal.aborted) throw imagesErrors.error("IMAGES_CANCELLED", "cancelled while fetching packages");
    if ((cause as NodeJS.ErrnoException).code === "ENOENT")
      throw imagesErrors.error("IMAGES_MMDEBSTRAP_MISSING", "there is no mmdebstrap in PATH", { cause });
    said.push(Buffer.from(messageOf(cause)));
  }
  const lines = Buffer.concat(said).toString("utf8").trim().split("\n").slice(-5).join("\n");
  throw imagesErrors.error("IMAGES_PACKAGES_FAILED", `cannot fetch ${request.packages.join(", ")}:\n${lines}`);
}

function mmdebstrapArguments({ packages, downloads }: RootfsRequest): readonly string[] {
  const folder = `'${downloads.replaceAll("'", `'"'"'`)}'`;
  const archives = "/var/cache/apt/archives";
  return [
    "--variant=extract",
    "--format=tar",
    "--quiet",
    `--include=${packages.join(",")}`,
    "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
    `--setup-hook=mkdir -p "$1"${archives}`,
    `--setup-hook=sync-in ${folder} ${archives}`,
    `--extract-hook=${KEEP_RECORDS}`,
    `--extract-hook=sync-out ${archives} ${folder}`,
    RELEASE,
    "-",
    "-",
  ];
}

/**
 * The root file system of an image from the tar of an unpacked one: what `keep` takes, the certificates as one file, the
 * users, and the records of the packages.
 */
export async function rootfsOf(tar: Readable, keep: (path: string) => boolean): Promise<LayerEntries> {
  const entries = new Map<string, LayerEntry>([
    ["etc/passwd", { kind: "file", content: Buffer.from(PASSWD) }],
    ["etc/group", { kind: "file", content: Buffer.from(GROUP) }],
    ["etc/nsswitch.conf", { kind: "file", content: Buffer.from("hosts: files dns\n") }],
    ["etc/os-release", { kind: "file", content: Buffer.from(OS_RELEASE) }],
    ["tmp", { kind: "directory", mode: 0o1777 }],
  ]);
  const certificates = new Map<string, Buffer>();
  const records = new Map<string, Buffer>();
  await eachEntry(tar, async (entry) => {
    const path = entry.header.name.replace(/^\.?\//, "").replace(/\/$/, "");
    if (CERTIFICATE.test(path)) certificates.set(path, await buffer(entry));
    else if (isPackageRecord(path)) records.set(path, await buffer(entry));
    else if (keep(path)) entries.set(path, await entryOf(path, entry));
  });
  for (const [path, record] of recordsOf(records, new Set([...entries.keys(), ...certificates.keys()])))
    entries.set(path, record);
  if (certificates.size > 0) {
    const sorted = [...certificates].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, content]) => content);
    entries.set(BUNDLE, { kind: "file", content: Buffer.concat(sorted) });
  }
  return entries;
}

async function entryOf(path: string, entry: TarEntry): Promise<LayerEntry> {
  const { type, linkname, mode = 0 } = entry.header;
  if (type === "symlink" && linkname) return { kind: "link", target: linkname };
  if (type === "file") return { kind: "file", content: await buffer(entry), executable: (mode & 0o111) !== 0 };
  throw new Error(`"${path}" is a ${String(type)}, which no layer of ours has`);
}
