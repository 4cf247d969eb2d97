import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { documentFiles } from "./documents.ts";

const project = fileURLToPath(new URL("../../..", import.meta.url));

describe("documentFiles", () => {
  let copy: string;
  beforeEach(() => {
    copy = mkdtempSync(join(tmpdir(), "tk-documents-"));
    for (const name of [
      "README.md",
      "SECURITY.md",
      "CHANGELOG.md",
      "LICENSE",
      "docs",
      "stacks/docker/firewall.nft",
      "modules/timescaledb/migrations",
    ]) {
      mkdirSync(dirname(join(copy, name)), { recursive: true });
      cpSync(join(project, name), join(copy, name), { recursive: true });
    }
  });
  afterEach(() => rmSync(copy, { recursive: true }));

  it("has guides, migrations and dashboards, the same from another folder", () => {
    const here = documentFiles(project);
    const paths = here.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        ...["README.md", "LICENSE", "docs/guides/docker.md", "migrations/0001_roles.sql"],
        "stacks/docker/firewall.nft",
        "dashboards/trustkern-fleet-overview.json",
      ]),
    );
    expect(new Set(paths).size).toBe(paths.length);
    const told = (files: typeof here) => files.map(({ path, source }) => [path, source.digest]);
    expect(told(documentFiles(copy))).toEqual(told(here));
  });

  it("leads by its links between guides and pages of decisions to files that it has", async () => {
    const files = documentFiles(project).filter(({ path }) => /^docs\/(guides|spec)\//.test(path));
    const all = new Set(documentFiles(project).map(({ path }) => path));
    const missing: string[] = [];
    for (const { path, source } of files) {
      const text = Buffer.concat(await source.open().toArray()).toString("utf8");
      for (const [, link = ""] of text.matchAll(/\]\(([^)#:]+\.md)(?:#[^)]*)?\)/g)) {
        const to = posix.join(posix.dirname(path), link);
        if (!all.has(to) && !to.startsWith("examples/") && existsSync(join(project, to)))
          missing.push(`${path} -> ${to}`);
      }
    }
    expect(missing).toEqual([]);
  });

  it("takes texts alone, whatever else lies beside them", () => {
    writeFileSync(join(copy, "docs", "guides", "notes.key"), "secret");
    writeFileSync(join(copy, "modules/timescaledb/migrations/dump.bin"), "rows");
    expect(documentFiles(copy).map(({ path }) => path)).toEqual(documentFiles(project).map(({ path }) => path));
  });

  it.each(["README.md", "LICENSE", "docs", "modules/timescaledb/migrations"])(
    "refuses a project without %s",
    (name) => {
      rmSync(join(copy, name), { recursive: true });
      expect(() => documentFiles(copy)).toThrow(expect.objectContaining({ code: "BUNDLE_DOCUMENT_MISSING" }));
    },
  );
});
