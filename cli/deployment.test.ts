import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { LEAST_FILES, withValue } from "../profiles/test-files.ts";
import { TOPICS } from "../profiles/topics.ts";
import { runCli } from "./test-io.ts";

const VALID = "name: demo\ntenant: acme\nprofile: dev\n";
let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "tk-cli-"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

const file = (name: string) => join(cwd, name);
const run = (...argv: string[]) => runCli(argv, { cwd });

describe("init", () => {
  it("writes a file that config show takes, and the schema that it names", async () => {
    expect(await run("init", "--profile", "dev")).toMatchObject({
      ...{ exit: 0, stdout: "", stderr: "wrote trustkern.yaml and trustkern.schema.json\n" },
    });
    const text = readFileSync(file("trustkern.yaml"), "utf8");
    expect(text).toContain("$schema=./trustkern.schema.json");
    expect(JSON.parse(readFileSync(file("trustkern.schema.json"), "utf8")).required).toEqual([
      "name",
      "tenant",
      "profile",
    ]);
    expect((await run("config", "show")).exit).toBe(0);
  });

  it("never replaces a file", async () => {
    writeFileSync(file("trustkern.yaml"), VALID);
    const { exit, stderr } = await run("init", "--profile", "dev");
    expect(exit).toBe(2);
    expect(stderr).toContain("CLI_FILE_EXISTS");
    expect(readFileSync(file("trustkern.yaml"), "utf8")).toBe(VALID);
    expect(existsSync(file("trustkern.schema.json"))).toBe(false);
  });

  it("writes nothing with --dry-run", async () => {
    const { exit, stdout } = await run("init", "--profile", "dev", "--dry-run");
    expect(exit).toBe(0);
    expect(parse(stdout)).toMatchObject({ profile: "dev" });
    expect(existsSync(file("trustkern.yaml"))).toBe(false);
  });

  it("writes for a cluster what a cluster's pods reach, and of a machine nothing", async () => {
    expect(await run("init", "--profile", "customer-tenant", "--engine", "kubernetes")).toMatchObject({
      exit: 0,
      stderr: expect.stringMatching(
        /next: fill in what it leaves blank; trustkern config show says what is missing\n$/,
      ),
    });
    const text = readFileSync(file("trustkern.yaml"), "utf8");
    expect(parse(text)).toMatchObject({ engine: "kubernetes", custody: { kind: "aws-kms" } });
    expect(Object.keys(parse(text))).toEqual(expect.not.arrayContaining(["docker", "state"]));
    const { error } = JSON.parse((await run("config", "show", "--json")).stdout);
    const blank = error.findings.filter(({ code }: { code: string }) => code !== "CONFIG_EGRESS");
    expect(blank.length).toBeGreaterThan(5);
    for (const { message } of blank) expect(message).toMatch(/^the value is missing; accepted: /);
  });

  it.each([
    ["an unknown profile", ["--profile", "prod"], 6, "PROFILE_UNKNOWN"],
    ["an engine that the profile does not allow", ["--profile", "dev", "--engine", "kubernetes"], 2, "CLI_USAGE"],
    ["an engine that is none", ["--profile", "dev", "--engine", "constructor"], 2, "CLI_USAGE"],
    ["a name that no host could have", ["--profile", "dev", "--name", "a b: c"], 2, "CLI_USAGE"],
    ["a tenant that no host could have", ["--profile", "dev", "--tenant", "Acme"], 2, "CLI_USAGE"],
    ["a folder that is not there", ["--profile", "dev", "-o", "none/f.yaml"], 4, "CLI_OUTPUT"],
  ])("refuses %s", async (_, options, code, error) => {
    const { exit, stderr } = await run("init", ...options);
    expect(exit).toBe(code);
    expect(stderr).toContain(error);
    expect(existsSync(file("trustkern.yaml"))).toBe(false);
  });
});

describe("config show", () => {
  it("finds the file upwards", async () => {
    writeFileSync(file("trustkern.yaml"), VALID);
    mkdirSync(join(cwd, "a/b"), { recursive: true });
    const { exit, stdout } = await runCli(["config", "show", "--json"], { cwd: join(cwd, "a/b") });
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ schema: "trustkern.config-show/1", deployment: { tenant: "acme" } });
  });

  it("shows of secrets their references alone", async () => {
    writeFileSync(file("trustkern.yaml"), VALID);
    const { secrets } = JSON.parse((await run("config", "show", "--json")).stdout);
    expect(secrets.custody).toEqual(["secret:custody/passphrase"]);
    for (const refs of Object.values<string[]>(secrets)) for (const ref of refs) expect(ref).toMatch(/^secret:/);
  });

  it("is exit code 6 without a file", async () => {
    expect(await run("config", "show", "-f", "none.yaml")).toMatchObject({ exit: 6 });
    expect((await run("config", "show", "-f", "none.yaml")).stderr).toContain("CLI_FILE");
  });

  it("puts every mistake of a file into one report, in words and as JSON", async () => {
    writeFileSync(file("d.yaml"), "nam: demo\ntenant: 5\nprofile: dve\n");
    const words = await run("-f", "d.yaml", "config", "show");
    expect(words).toMatchObject({ exit: 2, stdout: "" });
    for (const code of ["CONFIG_MISSING", "CONFIG_UNKNOWN_KEY", "CONFIG_VALUE"]) expect(words.stderr).toContain(code);
    const { error } = JSON.parse((await run("config", "show", "-f", "d.yaml", "--json")).stdout);
    expect(error.code).toBe("CONFIG_INVALID");
    expect(error.path).toBe("d.yaml");
    expect(error.findings.map(({ line }: { line: number }) => line)).toEqual([1, 1, 2, 3]);
  });
});

describe("config schema", () => {
  it("is JSON on stdout or in a file, on one line with --json", async () => {
    expect(JSON.parse((await run("config", "schema")).stdout)).toHaveProperty("additionalProperties", false);
    expect((await run("config", "schema", "--json")).stdout.match(/\n/g)).toHaveLength(1);
    expect(await run("config", "schema", "-o", "s.json")).toMatchObject({ exit: 0, stdout: "" });
    expect(existsSync(file("s.json"))).toBe(true);
  });
});

it("is warned of decryption keys in a file, once, on stderr, outside of dev", async () => {
  const holders = ["a", "b"].map((name) => ({ name, operator: "customer" }));
  const custody = {
    kind: "file",
    class: "software",
    acceptSoftware: "no TPM is on the site",
    escrow: { threshold: 2, holders },
  };
  const file = withValue(LEAST_FILES["air-gapped"], "custody", custody);
  writeFileSync(join(cwd, "trustkern.yaml"), JSON.stringify(file));
  for (const argv of [["config", "show"], ["config", "show", "--json"], ["synth"], ["diagram"]]) {
    const { exit, stdout, stderr } = await run(...argv);
    expect(exit, argv.join(" ")).toBe(0);
    expect(stderr.match(/^warning: custody\.kind: /gm), argv.join(" ")).toHaveLength(1);
    expect(stdout).not.toContain("warning:");
  }
  writeFileSync(join(cwd, "trustkern.yaml"), JSON.stringify(LEAST_FILES["air-gapped"]));
  expect((await run("config", "show")).stderr).toBe("");
});

describe("profile", () => {
  it("list names the four", async () => {
    const { profiles } = JSON.parse((await run("profile", "list", "--json")).stdout);
    expect(profiles.map(({ name }: { name: string }) => name)).toEqual([
      "dev",
      "eu-hosted",
      "customer-tenant",
      "air-gapped",
    ]);
  });

  it("explain gives a reason below every line", async () => {
    const { exit, stdout } = await run("profile", "explain", "eu-hosted");
    expect(exit).toBe(0);
    expect(stdout).toContain("hosting.region: eu-central-1");
    expect(stdout).toContain("European Union");
    expect(stdout).toContain("(held by the check running.encryption): every volume");
    expect(stdout).toContain("(held by trustkern deploy): region and account");
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(stdout.match(/^[a-z]+$/gm)).toEqual([...TOPICS]);
  });

  it("explain gives everything as one document", async () => {
    const { stdout } = await run("profile", "explain", "air-gapped", "--json");
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ schema: "trustkern.profile-explain/1", mayBeAbsent: ["grafana", "simulator"] });
    for (const line of [...document.constraints, ...document.assurances]) expect(line.reason).toBeTruthy();
    expect(document.assurances.map(({ heldBy }: { heldBy: string }) => heldBy)).toContain("running.egress");
  });

  it("explain does not know another: exit code 6", async () => {
    expect((await run("profile", "explain", "toString")).exit).toBe(6);
  });
});

describe("diagram", () => {
  it("draws what up would start where there is no file", async () => {
    const { exit, stdout } = await run("diagram");
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^flowchart LR\n/);
    expect(stdout).toContain("decryption (the boundary)");
  });

  it("has no other format", async () => {
    expect((await run("diagram", "--format", "toString")).exit).toBe(2);
  });

  it("draws an svg too", async () => {
    expect((await run("diagram", "--format", "svg")).stdout).toContain("decryption: THE BOUNDARY");
  });

  it("does not draw a file with mistakes", async () => {
    writeFileSync(file("trustkern.yaml"), "name: 5\n");
    expect(await run("diagram")).toMatchObject({ exit: 2, stdout: "" });
  });
});
