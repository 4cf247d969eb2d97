import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { extract } from "tar-stream";
import type { EngineImages, SiteEngine } from "../engine/engine.ts";
import { type Manifest, manifestDigest, renderManifest } from "../format/manifest.ts";
import { type Bringing, bringBundle, type SiteReport, takeBack } from "./bring.ts";
import type { BundleContent, TrustedBundle } from "./content.ts";
import { siteErrors } from "./errors.ts";
import { openJournal } from "./journal.ts";
import type { Wish } from "./plan.ts";
import { type Site, siteOf } from "./site.ts";
import type { Toolkit } from "./toolkit.ts";

/** A bundle in memory, whose version says what its files and images have. */
export interface TestBundle extends BundleContent {
  readonly version: number;
  readonly trusted: TrustedBundle;
  /** Digests that were asked for, in order. */
  readonly read: string[];
}

/** Changes to a {@link testBundle}. */
export interface TestBundleOptions {
  readonly trusted?: Partial<TrustedBundle>;
  readonly manifest?: Partial<Manifest>;
  /** Throws what reading every byte finds. */
  readonly verify?: () => void;
  /** Bytes of the file that every version has alike. */
  readonly sharedBytes?: number;
}

export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** A bundle of that version: two images that share a layer, a program, a file of its own, one that all versions have. */
export function testBundle(version: number, options: TestBundleOptions = {}): TestBundle {
  const blobs = new Map<string, Buffer>();
  const add = (content: string | Buffer): string => {
    const bytes = Buffer.from(content);
    blobs.set(sha256(bytes), bytes);
    return sha256(bytes);
  };
  const shared = add(Buffer.alloc(options.sharedBytes ?? 4096, "shared"));
  const files = [
    { path: "deployment/trustkern.yaml", digest: add(`name: site ${version}\n`), executable: false },
    { path: "docs/same.md", digest: shared, executable: false },
    { path: "toolkit/bin/trustkern", digest: add(`#!/bin/sh\necho ${version}\n`), executable: true },
    { path: "toolkit/mirror/one", digest: add("provider"), executable: true },
    { path: "toolkit/mirror/two", digest: add("provider"), executable: true },
  ];
  const base = add("layer of all");
  const images = ["broker", "gateway"].map((name) => {
    const layers = [base, add(`layer of ${name} ${version}`)];
    const config = add(JSON.stringify({ name, version, rootfs: { type: "layers", diff_ids: layers } }));
    return { name, reference: `trustkern/${name}:1.0.0`, config, layers };
  });
  const manifest = {
    schema: "trustkern.bundle/1",
    ...{ tenant: "acme", deployment: "site", profile: "air-gapped" },
    toolkit: { version: "1.0.0", platform: "linux-x64" },
    ...{ plain: [], files, images },
    blobs: [...blobs].map(([digest, { length }]) => ({ digest, bytes: length })),
    segments: [
      {
        ...{ digest: sha256("segment"), bytes: 1, blobs: blobs.size },
        rawBytes: [...blobs.values()].reduce((sum, { length }) => sum + length, 0),
      },
    ],
    ...options.manifest,
  } as Manifest;
  const read: string[] = [];
  return {
    ...{ version, read, manifest, path: `/media/${version}.tkb`, bytes: 1_000_000 },
    manifestBytes: renderManifest(manifest),
    slot: Buffer.from("{}\n"),
    trusted: {
      version,
      manifest: manifestDigest(manifest),
      assertStill: () => undefined,
      record: () => undefined,
      ...options.trusted,
    },
    verifyBytes: async () => options.verify?.(),
    blobs: async function* (wanted) {
      for (const [digest, bytes] of blobs) {
        if (!wanted.has(digest)) continue;
        read.push(digest);
        yield { digest, bytes: bytes.length, content: Readable.from([bytes.subarray(0, 3), bytes.subarray(3)]) };
      }
    },
  };
}

/** What {@link FolderEngine} keeps. */
export interface EngineState {
  readonly images: Readonly<Record<string, readonly string[]>>;
  readonly tags: Readonly<Record<string, string>>;
  /** Version whose containers run; null while none do. */
  readonly running: number | null;
}

/** A Docker Engine that keeps what it has in a file, so that it outlives a process that is killed. */
export class FolderEngine implements SiteEngine {
  readonly file: string;
  /** Names of entries of the archives that were loaded. */
  readonly loaded: string[] = [];

  constructor(folder: string) {
    this.file = join(folder, "engine.json");
    if (!existsSync(this.file)) this.write({ images: {}, tags: {}, running: null });
  }

  state(): EngineState {
    return JSON.parse(readFileSync(this.file, "utf8"));
  }

  write(change: Partial<EngineState>): void {
    const before = existsSync(this.file) ? this.state() : {};
    writeFileSync(this.file, JSON.stringify({ ...before, ...change }));
  }

  async look(): Promise<EngineImages> {
    const { images, tags } = this.state();
    return { images: new Map(Object.entries(images)), tags: new Map(Object.entries(tags)) };
  }

  async load(archive: Readable): Promise<void> {
    const entries = new Map<string, Buffer>();
    const unpack = archive.pipe(extract());
    archive.on("error", (thrown) => unpack.destroy(thrown));
    for await (const entry of unpack) entries.set(entry.header.name, await buffer(entry as unknown as Readable));
    this.loaded.push(...entries.keys());
    const listed = JSON.parse(String(entries.get("manifest.json"))) as readonly {
      Config: string;
      RepoTags: readonly string[];
    }[];
    for (const { Config, RepoTags } of listed) {
      const config = entries.get(Config);
      if (config === undefined) throw siteErrors.error("BUNDLE_IMAGES_REFUSED", `no ${Config}`);
      const { images, tags } = this.state();
      const layers: readonly string[] = JSON.parse(String(config)).rootfs.diff_ids;
      const known = new Set(Object.values(images).flat());
      const there = (layer: string) => known.has(layer) || entries.has(`${layer.slice(7)}/layer.tar`);
      if (!layers.every(there)) throw siteErrors.error("BUNDLE_IMAGES_REFUSED", `a layer of ${Config} is missing`);
      const id = sha256(config);
      this.write({
        images: { ...images, [id]: layers },
        tags: { ...tags, ...Object.fromEntries(RepoTags.map((tag) => [tag, id])) },
      });
    }
  }

  async tag(id: string, reference: string): Promise<void> {
    this.write({ tags: { ...this.state().tags, [reference]: id } });
  }

  async untag(reference: string): Promise<void> {
    const { [reference]: id, ...tags } = this.state().tags;
    const images = Object.entries(this.state().images).filter(
      ([image]) => image !== id || Object.values(tags).includes(image),
    );
    this.write({ tags, images: Object.fromEntries(images) });
  }

  async stop(): Promise<void> {
    this.write({ running: null });
  }

  async remove(): Promise<void> {
    this.write({ running: null });
  }
}

/** Where {@link folderToolkit} has the deployment write what only one version understands. */
export function rowsOf({ stateDir }: Site): string {
  return join(stateDir, "volumes", "database", "rows");
}

/** A toolkit that changes the state as a migration does, and then has containers run. */
export function folderToolkit(engine: FolderEngine, site: Site, failing: ReadonlySet<number> = new Set()): Toolkit {
  return {
    deploy: async (folder, stateDir) => {
      const version = Number(basename(folder));
      if (!existsSync(join(folder, "toolkit", "bin", "trustkern"))) throw new Error(`no toolkit in ${folder}`);
      const { images } = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as Manifest;
      const present = engine.state().images;
      if (!images.every(({ config }) => config in present)) throw new Error("an image is not there");
      const rows = rowsOf(site);
      mkdirSync(dirname(rows), { recursive: true });
      const before = existsSync(rows) ? readFileSync(rows, "utf8") : "";
      const newest = Number(before.trim().split("\n").at(-1) ?? 0);
      if (newest > version) throw siteErrors.error("BUNDLE_DEPLOY_FAILED", `version ${version} cannot read ${newest}`);
      if (newest < version) writeFileSync(rows, `${before}${version}\n`);
      writeFileSync(join(stateDir, "deployment.json"), `${version}`);
      if (failing.has(version)) throw siteErrors.error("BUNDLE_DEPLOY_FAILED", `version ${version} is not well`);
      engine.write({ running: version });
    },
    isWell: async (folder) => engine.state().running === Number(basename(folder)),
  };
}

/** Where bringing bytes down to the disk takes no time. */
const MEMORY = "/dev/shm";

/** A site in a folder of its own, with an engine and toolkits of its own. */
export class TestSite {
  readonly folder: string;
  readonly site: Site;
  readonly engine: FolderEngine;
  /** Versions that never become well. */
  readonly failing = new Set<number>();

  constructor(folder: string = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), "tk-site-"))) {
    this.folder = folder;
    this.site = siteOf(join(folder, "site"));
    this.engine = new FolderEngine(folder);
  }

  /** What a command hands over, with changes. */
  asked(changes: Partial<Bringing> = {}) {
    return {
      site: this.site,
      engine: this.engine as SiteEngine,
      toolkit: folderToolkit(this.engine, this.site, this.failing),
      ownToolkit: undefined,
      signal: new AbortController().signal,
      clock: () => new Date(0),
      pid: process.pid,
      dryRun: false,
      onProgress: () => undefined,
      onBytes: () => undefined,
      ...changes,
    };
  }

  bring(wish: Wish, bundle: TestBundle, changes: Partial<Bringing> = {}): Promise<SiteReport> {
    const { trusted } = bundle;
    const usual = { wish, bundle, trusted, platform: "linux-x64", preflight: async () => undefined };
    return bringBundle({ ...usual, ...this.asked(changes), ...changes });
  }

  back(changes: Partial<Bringing> = {}): Promise<SiteReport> {
    return takeBack(this.asked(changes));
  }

  journal() {
    return openJournal(this.site.journalFile).lines();
  }

  rows(): string {
    return readFileSync(rowsOf(this.site), "utf8");
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
