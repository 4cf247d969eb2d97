import { describe, expect, it } from "vitest";
import { COMMANDS } from "./command-table.ts";
import { runCli } from "./test-io.ts";

describe("usage", () => {
  it.each([
    ["an unknown command", ["explan", "X"], "did you mean explain?"],
    ["an unknown command of a group", ["envelope", "chekc"], "did you mean check?"],
    ["an unknown option", ["profile", "list", "--jsn"], "did you mean --json?"],
  ])("%s is exit code 2 with a suggestion, on stderr", async (_, argv, hint) => {
    const { exit, stdout, stderr } = await runCli(argv);
    expect(exit).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain("CLI_USAGE");
    expect(stderr).toContain(hint);
  });

  it.each([
    ["a missing argument", ["explain"]],
    ["an argument too many", ["profile", "list", "dev"]],
    ["an option without its value", ["config", "show", "-f"]],
    ["a colour that is none", ["profile", "list", "--color", "blue"]],
    ["a progress that is none", ["profile", "list", "--progress", "loud"]],
    ["init without a profile", ["init"]],
  ])("%s is exit code 2", async (_, argv) => {
    expect((await runCli(argv)).exit).toBe(2);
  });

  it.each([
    ["keys compromise", ["0011223344556677"]],
    ["certs export", ["0a"]],
  ])("of an option that %s cannot do without is mended by what its help says", async (command, args) => {
    const { exit, stderr } = await runCli([...command.split(" "), ...args]);
    expect(exit).toBe(2);
    expect(stderr).toContain(`fix: trustkern ${command} --help says what it takes`);
  });

  it("is one line of JSON on stdout with --json, and nothing else", async () => {
    const { exit, stdout, stderr } = await runCli(["explan", "--json"]);
    expect(exit).toBe(2);
    expect(stderr).toBe("");
    expect(stdout.match(/\n/g)).toHaveLength(1);
    const { error } = JSON.parse(stdout);
    expect(Object.keys(error)).toEqual(["code", "message", "path", "fix", "docs"]);
    expect(error).toMatchObject({ code: "CLI_USAGE", docs: "trustkern explain CLI_USAGE" });
  });

  it("takes --json after -- for an argument", async () => {
    const { stdout, stderr } = await runCli(["explain", "--", "--json"]);
    expect(stdout).toBe("");
    expect(stderr).toContain("CODE_UNKNOWN");
  });
});

describe("help", () => {
  it("goes to stdout and is exit code 0", async () => {
    for (const argv of [["--help"], ["help"], ["help", "init"], ["envelope", "check", "--help"]]) {
      const { exit, stdout, stderr } = await runCli(argv);
      expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
      expect(stdout).toContain("Usage: trustkern");
    }
  });

  it("goes to stderr with exit code 2 when a command is wanting", async () => {
    for (const argv of [[], ["envelope"]]) {
      const { exit, stdout, stderr } = await runCli(argv);
      expect({ exit, stdout }).toEqual({ exit: 2, stdout: "" });
      expect(stderr).toContain("Usage: trustkern");
    }
  });

  it("lists every command", async () => {
    for (const { name } of COMMANDS) {
      const { exit, stdout } = await runCli([...name.split(" "), "--help"]);
      expect(exit, name).toBe(0);
      expect(stdout).toContain(`trustkern ${name}`);
    }
  });

  it("lists the documented exit codes", async () => {
    const { exit, stdout } = await runCli(["help", "exit-codes"]);
    expect(exit).toBe(0);
    const codes = stdout
      .trimEnd()
      .split("\n")
      .map((line) => Number(line.trim().split(" ")[0]));
    expect(codes).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 255]);
  });

  it("prints the version alone", async () => {
    const { exit, stdout } = await runCli(["--version"]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe("colours", () => {
  const ESCAPE = "\u001b[";
  const argv = ["profile", "list"];

  it.each([
    ["a pipe", argv, {}, false],
    ["NO_COLOR", argv, { terminal: true, env: { NO_COLOR: "1" } }, false],
    ["TERM=dumb", argv, { terminal: true, env: { TERM: "dumb" } }, false],
    ["--color never", [...argv, "--color", "never"], { terminal: true }, false],
    ["a terminal", argv, { terminal: true }, true],
    ["an empty NO_COLOR", argv, { terminal: true, env: { NO_COLOR: "" } }, true],
    ["--color always", [...argv, "--color", "always"], { env: { NO_COLOR: "1" } }, true],
  ])("with %s", async (_, line, outside, coloured) => {
    expect((await runCli(line, outside)).stdout.includes(ESCAPE)).toBe(coloured);
  });

  it("are those of stderr for errors", async () => {
    expect((await runCli(["explan"], { terminal: true })).stderr).toContain(ESCAPE);
    expect((await runCli(["explan", "--color=never"], { terminal: true })).stderr).not.toContain(ESCAPE);
  });

  it("never reach JSON", async () => {
    expect((await runCli([...argv, "--json", "--color", "always"])).stdout).not.toContain(ESCAPE);
  });
});

it("is cancelled with exit code 8", async () => {
  const controller = new AbortController();
  const running = runCli(["envelope", "inspect", "-"], {
    cancelled: controller.signal,
    stdin: new Uint8Array(),
  });
  controller.abort();
  expect(await running).toMatchObject({ exit: 8, stdout: "" });
});

describe("a command line that is wrong", () => {
  const fixOf = async (...argv: readonly string[]) => JSON.parse((await runCli([...argv, "--json"])).stdout).error.fix;

  it("names the help of the command that it is for", async () => {
    expect(await fixOf("gateway", "token", "issue")).toBe("trustkern gateway token issue --help says what it takes");
    expect(await fixOf("certs", "crl", "--none")).toContain("trustkern certs crl --help");
  });

  it("names the help of all commands where there is no such command", async () => {
    expect(await fixOf("qqqqqqqq")).toContain("trustkern help");
  });
});
