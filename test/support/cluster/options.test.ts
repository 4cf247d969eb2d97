import { describe, expect, it } from "vitest";
import { parseOptions } from "./options.ts";

const parse = (...args: readonly string[]) => parseOptions(args, "/here", "/usual");

describe("parseOptions", () => {
  it("takes the usual state folder where none is named", () => {
    expect(parse("up")).toEqual({ command: "up", state: "/usual" });
  });

  it.each([
    ["other", "/here/other"],
    ["/abs/folder/", "/abs/folder"],
    ["../there", "/there"],
  ])("makes --state %s absolute", (given, state) => {
    expect(parse("down", "--state", given)).toEqual({ command: "down", state });
  });

  it.each([
    ["no command", []],
    ["an unknown command", ["restart"]],
    ["two commands", ["up", "down"]],
    ["an unknown option", ["up", "--force"]],
    ["--state without a folder", ["up", "--state"]],
    ["--state with nothing in it", ["up", "--state="]],
    ["--state whose folder looks like an option", ["up", "--state", "--x"]],
  ])("refuses %s", (_, args) => {
    expect(() => parse(...args)).toThrow(expect.objectContaining({ code: "CLUSTER_USAGE" }));
  });
});
