import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { environmentOf, foldersOf, writeCliConfig } from "./environment.ts";

const folders = foldersOf("/state/terraform");

describe("the environment of a run", () => {
  it.each([
    "TF_CLI_ARGS",
    "TF_CLI_ARGS_apply",
    "TF_WORKSPACE",
    "TF_LOG",
    "TF_LOG_PATH",
    "TF_VAR_x",
    "TF_REATTACH_PROVIDERS",
  ])("does not let %s through", (name) => {
    expect(environmentOf({ [name]: "x" }, folders, undefined)).not.toHaveProperty(name);
  });

  it.each(["PATH", "DOCKER_HOST", "AWS_PROFILE", "TF_HTTP_USERNAME", "TF_ENCRYPTION", "TF_CLI_CONFIG_FILE"])(
    "lets %s through",
    (name) => {
      expect(environmentOf({ [name]: "x" }, folders, undefined)).toHaveProperty(name, "x");
    },
  );

  it("overrides where Terraform keeps its data", () => {
    const env = environmentOf({ TF_DATA_DIR: "/elsewhere", TF_INPUT: "1" }, folders, undefined);
    expect(env).toMatchObject({ TF_DATA_DIR: folders.dataDir, TF_INPUT: "0", CHECKPOINT_DISABLE: "1" });
  });

  it("takes providers from the mirror alone where there is one", () => {
    const env = environmentOf({ TF_CLI_CONFIG_FILE: "/mine", TF_PLUGIN_CACHE_DIR: "/cache" }, folders, "/mirror");
    expect(env.TF_CLI_CONFIG_FILE).toBe(folders.cliConfigFile);
    expect(env).not.toHaveProperty("TF_PLUGIN_CACHE_DIR");
  });
});

describe("the CLI configuration", () => {
  it("names one way to get a provider, the mirror, and no registry", () => {
    const folder = mkdtempSync(join(tmpdir(), "tk-tfrc-"));
    try {
      const file = join(folder, "c.tfrc");
      writeCliConfig(file, "/mirror");
      const [installation, ...more] = JSON.parse(readFileSync(file, "utf8")).provider_installation;
      expect(more).toEqual([]);
      expect(Object.keys(installation)).toEqual(["filesystem_mirror"]);
      expect(statSync(file).mode & 0o777).toBe(0o600);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
