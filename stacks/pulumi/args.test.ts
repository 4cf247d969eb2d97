import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { output, secret } from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { findingsOf } from "../../model/findings.ts";
import { exampleArgs, freshFolder } from "../../test/support/pulumi.ts";
import { planDeployment } from "./plan-deployment.ts";

const args = exampleArgs("single-host");
const { deployment } = args;

/** Code of the error, and of every mistake with its path. */
function mistakes(said: unknown): readonly string[] {
  try {
    planDeployment(said);
  } catch (thrown) {
    return [(thrown as { code: string }).code, ...findingsOf(thrown).map(({ code, path }) => `${code} ${path}`)];
  }
  return [];
}

it("takes the arguments of an example", () => {
  expect(mistakes(args)).toEqual([]);
});

describe("arguments that are refused", () => {
  it.each([
    ["none", undefined, ["PULUMI_ARGUMENT_MISSING deployment", "PULUMI_ARGUMENT_MISSING dir"]],
    ["a text", "single-host", ["PULUMI_ARGUMENT_MISSING deployment", "PULUMI_ARGUMENT_MISSING dir"]],
    ["no deployment", { dir: "/srv/tk" }, ["PULUMI_ARGUMENT_MISSING deployment"]],
    ["no state directory", { deployment }, ["PULUMI_ARGUMENT_MISSING dir"]],
    ["an empty state directory", { ...args, dir: "" }, ["PULUMI_ARGUMENT_VALUE dir"]],
    ["a number for a lock", { ...args, imageLock: 1 }, ["PULUMI_ARGUMENT_VALUE imageLock"]],
    ["root", { ...args, runAs: { uid: 0, gid: 0 } }, ["PULUMI_ARGUMENT_VALUE runAs"]],
    ["a user without a group", { ...args, runAs: { uid: 1000 } }, ["PULUMI_ARGUMENT_VALUE runAs"]],
    ["a user by name", { ...args, runAs: { uid: "1000", gid: 1000 } }, ["PULUMI_ARGUMENT_VALUE runAs"]],
    ["a transform that is none", { ...args, transform: {} }, ["PULUMI_ARGUMENT_VALUE transform"]],
    ["an unknown name", { ...args, imagelock: "x" }, ["PULUMI_ARGUMENT_UNKNOWN imagelock"]],
    ["an output", { ...args, dir: output("/srv/tk") }, ["PULUMI_VALUE_UNKNOWN dir"]],
    ["a promise", { ...args, deployment: Promise.resolve(deployment) }, ["PULUMI_VALUE_UNKNOWN deployment"]],
    [
      "a secret within",
      { ...args, deployment: { ...deployment, tenant: secret("acme") } },
      ["PULUMI_VALUE_UNKNOWN deployment.tenant"],
    ],
    [
      "a function within",
      { ...args, deployment: { ...deployment, ports: { broker: () => 1 } } },
      ["PULUMI_VALUE_UNKNOWN deployment.ports.broker"],
    ],
    [
      "a number that is none",
      { ...args, deployment: { ...deployment, ports: { broker: Number.NaN } } },
      ["PULUMI_VALUE_UNKNOWN deployment.ports.broker"],
    ],
    [
      "several at once",
      { dir: 1, images: {}, transform: 1 },
      [
        "PULUMI_ARGUMENT_UNKNOWN images",
        "PULUMI_ARGUMENT_MISSING deployment",
        "PULUMI_ARGUMENT_VALUE dir",
        "PULUMI_ARGUMENT_VALUE transform",
      ],
    ],
  ])("%s", (_, said, expected) => {
    expect(mistakes(said)).toEqual(["PULUMI_ARGUMENTS", ...expected]);
  });

  it("says which argument was meant", () => {
    expect(() => planDeployment({ ...args, imagelock: "x" })).toThrow(/did you mean imageLock/);
  });

  it("says nothing of a value that could be a secret", () => {
    expect(() => planDeployment({ ...args, dir: ["hunter2-canary"], secretToken: "hunter2-canary" })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("hunter2-canary") }),
    );
  });
});

describe("a deployment that is refused", () => {
  it.each([
    ["a wrong profile", { ...deployment, profile: "prod" }, ["CONFIG_VALUE profile"]],
    ["a missing tenant", { name: "a", profile: "dev", engine: "docker" }, ["CONFIG_MISSING tenant"]],
    ["an unknown member", { ...deployment, region: "x" }, ["CONFIG_UNKNOWN_KEY region"]],
    ["a list", [], ["CONFIG_VALUE "]],
    ["null", null, ["CONFIG_MISSING "]],
    ["what the profile does not allow", { ...deployment, profile: "air-gapped" }, undefined],
  ])("%s", (_, said, expected) => {
    const found = mistakes({ ...args, deployment: said });
    expect(found[0]).toBe("CONFIG_INVALID");
    if (expected !== undefined) expect(found.slice(1)).toEqual(expected);
    else expect(found).toContain("CONFIG_PROFILE images.source");
  });

  it("has no place in a text", () => {
    expect(() => planDeployment({ ...args, deployment: { ...deployment, region: "x" } })).toThrow(
      expect.objectContaining({ message: expect.not.stringMatching(/line \d/) }),
    );
  });

  it("is one of another engine", () => {
    const embedded = { name: "demo", tenant: "demo", profile: "dev" };
    expect(mistakes({ ...args, deployment: embedded })).toEqual(["PULUMI_ENGINE"]);
    expect(mistakes({ ...args, deployment: { ...embedded, engine: "embedded" } })).toEqual(["PULUMI_ENGINE"]);
  });
});

describe("an image lock that is refused", () => {
  const folder = freshFolder();
  const lock = parse(readFileSync(args.imageLock ?? "", "utf8"));
  const locked = (text: string) => {
    const imageLock = join(folder, "images.lock.yaml");
    writeFileSync(imageLock, text);
    return mistakes({ ...args, imageLock })[0];
  };

  it("is missing", () => {
    expect(mistakes({ ...args, imageLock: join(folder, "none.yaml") })).toEqual(["IMAGES_NOT_LOCKED"]);
    const { imageLock: _, ...without } = args;
    expect(mistakes(without)).toEqual(["IMAGES_NOT_LOCKED"]);
  });

  it("does not name an image", () => {
    const { collector: _, ...images } = lock.images;
    expect(locked(stringify({ ...lock, images }))).toBe("IMAGES_NOT_LOCKED");
  });

  it("is no lock, or one of another source", () => {
    expect(locked("images: 1\n")).toBe("IMAGES_LOCK_INVALID");
    expect(locked(stringify({ ...lock, source: "registry" }))).toBe("IMAGES_SOURCE_DIFFERS");
  });

  it("lacks the signatures that the deployment asks for", () => {
    const hosted = exampleArgs("eu-hosted");
    const text = parse(readFileSync(hosted.imageLock ?? "", "utf8"));
    for (const image of Object.values(text.images) as { signature?: unknown }[]) delete image.signature;
    writeFileSync(hosted.imageLock ?? "", stringify(text));
    expect(mistakes(hosted)[0]).toBe("IMAGES_MISMATCH");
  });
});
