import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { bundle } from "./bundle.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-bundle-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function project(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(folder, "project-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, name, ".."), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

const files = {
  "services/one/main.ts": `import { two } from "../two.ts";\nimport three from "three";\nconsole.log(two, three);\n`,
  "services/two.ts": "export const two: number = 2;\nexport const file = import.meta.url;\n",
  "node_modules/three/package.json": '{ "name": "three", "main": "index.js" }',
  "node_modules/three/index.js": "const os = require('os'); module.exports = os.EOL + __filename;\n",
};

describe("bundle", () => {
  it("gives the same bytes wherever the project lies, without the path to it", async () => {
    const [here, there] = [project(files), project(files)];
    const first = await bundle(here, "services/one/main.ts");
    expect(await bundle(there, "services/one/main.ts")).toEqual(first);
    expect(Buffer.from(first).toString("utf8")).not.toContain(folder);
  });

  it("gives the same bytes when the packages lie elsewhere, behind a link", async () => {
    const linked = project(files);
    const elsewhere = mkdtempSync(join(folder, "packages-"));
    renameSync(join(linked, "node_modules"), join(elsewhere, "node_modules"));
    symlinkSync(join(elsewhere, "node_modules"), join(linked, "node_modules"));
    expect(await bundle(linked, "services/one/main.ts")).toEqual(await bundle(project(files), "services/one/main.ts"));
  });

  it("gives other bytes for other sources", async () => {
    const first = await bundle(project(files), "services/one/main.ts");
    const changed = project({ ...files, "services/two.ts": "export const two: number = 3;\n" });
    expect(await bundle(changed, "services/one/main.ts")).not.toEqual(first);
  });

  it.each([
    ["an import that is not there", { "services/one/main.ts": 'import "./gone.ts";\n' }],
    ["a package that is not installed", { "services/one/main.ts": 'import "gone";\n' }],
    ["broken code", { "services/one/main.ts": "const = 1;\n" }],
    ["a service that is not there", {}],
  ])("refuses %s", async (_, sources) => {
    await expect(bundle(project(sources), "services/one/main.ts")).rejects.toMatchObject({
      code: "IMAGES_BUNDLE_FAILED",
      message: expect.stringContaining("services/one/main.ts"),
    });
  });
});
