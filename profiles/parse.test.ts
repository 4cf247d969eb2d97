import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findingsOf } from "../model/findings.ts";
import type { Finding } from "../shared/finding.ts";
import { parseDeploymentYaml, readDeploymentInput } from "./parse.ts";

const VALID = "name: demo\ntenant: acme\nprofile: dev\n";

function mistakes(text: string): readonly Finding[] {
  try {
    parseDeploymentYaml(text, "trustkern.yaml");
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: "CONFIG_INVALID", exit: 2, path: "trustkern.yaml" });
    return findingsOf(thrown);
  }
  return [];
}

const brief = (text: string) =>
  mistakes(text).map(({ code, path, line, column }) => `${code} ${path} ${line}:${column}`);

describe("a deployment file that is right", () => {
  it("gets the defaults of its profile", () => {
    const deployment = parseDeploymentYaml(VALID, "f");
    expect(deployment).toMatchObject({ engine: "embedded", gateways: ["gw-01"], simulator: { sensors: 3 }, ports: {} });
    expect(deployment.retention).toEqual({
      telemetrySeconds: 31_536_000,
      rawSeconds: 2_592_000,
      quarantineMaxBytes: 67_108_864,
    });
  });

  it("may say everything itself", () => {
    const text = `${VALID}simulator: {sensors: 0}\nports: {broker: 8883, gateway: 5683}\ngateways: [gw-a, gw-b]\nretention: {raw: 1h}\n`;
    const deployment = parseDeploymentYaml(text, "f");
    expect(deployment.simulator).toEqual({ sensors: 0, ratePerSecond: 5 });
    expect(deployment.ports).toEqual({ "broker.mqtts": 8883, "gw-a.coap": 5683 });
    expect(deployment.retention.rawSeconds).toBe(3600);
  });

  it("may use anchors, aliases, comments, CRLF and a byte order mark", () => {
    const text = `\uFEFF# a comment\r\nname: &n demo\r\ntenant: *n\r\nprofile: dev\r\n`;
    expect(parseDeploymentYaml(text, "f")).toMatchObject({ name: "demo", tenant: "demo" });
  });
});

describe("mistakes", () => {
  it.each([
    ["an empty file", "", ["CONFIG_MISSING  1:1"]],
    ["a list", "- a\n", ["CONFIG_VALUE  1:1"]],
    ["a word", "demo\n", ["CONFIG_VALUE  1:1"]],
    ["a missing key", "name: demo\nprofile: dev\n", ["CONFIG_MISSING tenant 1:1"]],
    ["a number for a text", "name: 12\ntenant: acme\nprofile: dev\n", ["CONFIG_VALUE name 1:7"]],
    ["a text for a number", `${VALID}collector:\n  workers: two\n`, ["CONFIG_VALUE collector.workers 5:12"]],
    ["a fraction", `${VALID}collector: {workers: 1.5}\n`, ["CONFIG_VALUE collector.workers 4:22"]],
    ["a number out of range", `${VALID}network: {channel: 27}\n`, ["CONFIG_VALUE network.channel 4:20"]],
    ["a map left empty", `${VALID}network:\n`, ["CONFIG_VALUE network 4:9"]],
    ["a name with a dot", "name: a.b\ntenant: acme\nprofile: dev\n", ["CONFIG_VALUE name 1:7"]],
    ["an unknown profile", "name: demo\ntenant: acme\nprofile: prod\n", ["CONFIG_VALUE profile 3:10"]],
    ["an unknown key", `${VALID}region: x\n`, ["CONFIG_UNKNOWN_KEY region 4:1"]],
    ["an unknown key below another", `${VALID}network:\n  canal: 1\n`, ["CONFIG_UNKNOWN_KEY network.canal 5:3"]],
    ["a merge key", `${VALID}<<: {engine: embedded}\n`, ["CONFIG_UNKNOWN_KEY << 4:1"]],
    ["__proto__", `${VALID}__proto__: {engine: docker}\n`, ["CONFIG_UNKNOWN_KEY __proto__ 4:1"]],
    ["a key that stands twice", `${VALID}name: other\n`, ["CONFIG_DUPLICATE_KEY name 4:1"]],
    [
      "such a key further down",
      `${VALID}network: {channel: 11, channel: 12}\n`,
      ["CONFIG_DUPLICATE_KEY network.channel 4:24"],
    ],
    ["a gateway named twice", `${VALID}gateways: [gw-a, gw-a]\n`, ["CONFIG_VALUE gateways 4:11"]],
    ["the simulator's own gateway", `${VALID}gateways: [gw-rogue]\n`, ["CONFIG_VALUE gateways.0 4:12"]],
    ["a service's name for a gateway", `${VALID}gateways: [svc-collector]\n`, ["CONFIG_VALUE gateways.0 4:12"]],
    ["a gateway elsewhere twice", `${VALID}gatewaysElsewhere: [gw-a, gw-a]\n`, ["CONFIG_VALUE gatewaysElsewhere 4:20"]],
    [
      "a gateway here and elsewhere",
      `${VALID}gateways: [gw-a]\ngatewaysElsewhere: [gw-b, gw-a]\n`,
      ["CONFIG_VALUE gatewaysElsewhere.1 5:27"],
    ],
    [
      "the gateway that is here by default, elsewhere",
      `${VALID}gatewaysElsewhere: [gw-01]\n`,
      ["CONFIG_VALUE gatewaysElsewhere.0 4:21"],
    ],
    [
      "the simulator's gateway elsewhere",
      `${VALID}gatewaysElsewhere: [gw-rogue]\n`,
      ["CONFIG_VALUE gatewaysElsewhere.0 4:21"],
    ],
    ["a size without a unit", `${VALID}gateway: {spool: 64}\n`, ["CONFIG_VALUE gateway.spool 4:18"]],
    [
      "rows that are kept for less than a day",
      `${VALID}retention: {telemetry: 23h}\n`,
      ["CONFIG_VALUE retention.telemetry 4:24"],
    ],
    ["two documents", `${VALID}---\n${VALID}`, ["CONFIG_YAML  4:1"]],
    ["a tab", `${VALID}network:\n\tchannel: 11\n`, expect.arrayContaining(["CONFIG_YAML  5:1"])],
    ["a tag", `${VALID}engine: !js embedded\n`, ["CONFIG_YAML  4:9"]],
    ["an alias without an anchor", `${VALID}engine: *nothing\n`, ["CONFIG_YAML  4:9"]],
    ["an alias of what it is a part of", `${VALID}gateways: &a [*a]\n`, ["CONFIG_YAML  4:15"]],
    ["an open quote", `${VALID}engine: "embedded\n`, ["CONFIG_YAML  5:1"]],
  ])("finds %s, and where", (_, text, expected) => {
    expect(brief(text)).toEqual(expected);
  });

  it("are all in one report, in the order of the text", () => {
    const text = "nam: demo\ntenant: 012\nprofile: dve\nhosting:\n  regionn: x\ncollector: {workers: 2, workers: 3}\n";
    expect(brief(text)).toEqual([
      "CONFIG_MISSING name 1:1",
      "CONFIG_UNKNOWN_KEY nam 1:1",
      "CONFIG_VALUE tenant 2:9",
      "CONFIG_VALUE profile 3:10",
      "CONFIG_UNKNOWN_KEY hosting.regionn 5:3",
      "CONFIG_DUPLICATE_KEY collector.workers 6:25",
    ]);
  });

  it("beside a broken line are still found, but nothing is called missing", () => {
    expect(brief('name: demo\nprofil: dev\nengine: "embedded\n')).toEqual([
      "CONFIG_UNKNOWN_KEY profil 2:1",
      "CONFIG_YAML  4:1",
    ]);
  });

  it("say what is accepted, and the nearest key or word", () => {
    const [unknown, wrong] = mistakes(
      "name: demo\ntenant: acme\nprofile: dev\negnine: embedded\ncollector: {workers: many}\n",
    );
    expect(unknown).toMatchObject({ fix: "did you mean engine?" });
    expect(wrong?.message).toContain("a whole number from 1 to 64");
    expect(mistakes("name: demo\ntenant: acme\nprofile: air-gaped\n")[0]?.fix).toBe("did you mean air-gapped?");
  });

  it("show a number as it is written, and how to make it text", () => {
    const [finding] = mistakes("name: demo\ntenant: 0012\nprofile: dev\n");
    expect(finding?.message).toContain("0012");
    expect(finding?.fix).toContain("quotes");
  });

  it("never print more than 60 characters of a value", () => {
    const [finding] = mistakes(`name: ${"x".repeat(5000)}\ntenant: acme\nprofile: dev\n`);
    expect(finding?.message).not.toContain("x".repeat(61));
  });
});

describe("a profile's constraints", () => {
  it.each([
    ["an engine that the profile does not allow", `${VALID}engine: kubernetes\n`, ["CONFIG_PROFILE engine 4:9"]],
    ["a program that deploys an engine", `${VALID}engine: pulumi\n`, ["CONFIG_VALUE engine 4:9"]],
    ["a region outside the profile", `${VALID}hosting: {region: us-east-1}\n`, ["CONFIG_PROFILE hosting.region 4:19"]],
    [
      "an operator outside the profile",
      `${VALID}hosting: {operator: customer}\n`,
      ["CONFIG_PROFILE hosting.operator 4:21"],
    ],
  ])("refuse %s", (_, text, expected) => {
    expect(brief(text)).toEqual(expected);
  });

  it("say when something must be said, with the reason", () => {
    const text = "name: demo\ntenant: acme\nprofile: customer-tenant\nhosting: {region: eu-west-1}\n";
    const account = mistakes(text).find(({ path }) => path === "hosting.account");
    expect(account).toMatchObject({ code: "CONFIG_PROFILE", fix: "add hosting.account" });
    expect(account?.message).toContain("evidence names it");
  });

  it("do not say again what the schema said", () => {
    expect(brief(`${VALID}engine: dokcer\n`)).toEqual(["CONFIG_VALUE engine 4:9"]);
    expect(brief(`${VALID}hosting: 5\n`)).toEqual(["CONFIG_VALUE hosting 4:10"]);
  });
});

describe("hostile YAML", () => {
  const bomb = `a: &a [x,x]\nb: &b [${"*a,".repeat(40)}]\nc: &c [${"*b,".repeat(40)}]\nd: [${"*c,".repeat(40)}]\n`;

  it.each([
    ["brackets nested 60,000 deep", "[".repeat(60_000)],
    ["lists nested 30,000 deep on one line", "- ".repeat(30_000)],
    ["maps nested 10,000 deep on one line", "a: ".repeat(10_000)],
    ["keys nested 10,000 deep on one line", "? ".repeat(10_000)],
    ["an alias bomb", bomb],
    ["a file of 70,000 characters", `# ${"x".repeat(70_000)}`],
  ])("is refused within a second: %s", (_, text) => {
    const started = performance.now();
    expect(mistakes(text).map(({ code }) => code)).toEqual(["CONFIG_YAML"]);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it("nested as deep as indentation can go ends in a report", () => {
    const stairs = Array.from({ length: 350 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n");
    expect(mistakes(stairs).length).toBeGreaterThan(0);
  });

  it("ends in a deployment or in CONFIG_INVALID, whatever the text is", () => {
    const piece = fc.constantFrom(
      "a",
      "name",
      ": ",
      "- ",
      "\n",
      "  ",
      "[",
      "]",
      "{",
      "}",
      ",",
      "&a ",
      "*a",
      "!t ",
      '"',
      "'",
      "|",
      "#",
      "?",
      "\t",
      "---\n",
      "%",
      "0x",
      "\u0000",
      "<<",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        mistakes(pieces.join(""));
      }),
      { numRuns: 500 },
    );
  });
});

describe("an object instead of a file", () => {
  const VALUE = { name: "demo", tenant: "acme", profile: "dev" };
  const wrong = (value: unknown) => {
    try {
      readDeploymentInput(value, "deployment");
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: "CONFIG_INVALID", path: "deployment" });
      return findingsOf(thrown).map(({ line, code, path }) => `${code} ${path} ${line}`);
    }
    return [];
  };

  it("is the same deployment", () => {
    expect(readDeploymentInput(VALUE, "deployment").deployment).toEqual(parseDeploymentYaml(VALID, "f"));
  });

  it("is held to the same, and its mistakes have no line", () => {
    expect(wrong({ ...VALUE, region: "x" })).toEqual(["CONFIG_UNKNOWN_KEY region undefined"]);
    expect(wrong({ ...VALUE, profile: "eu-hosted", engine: "embedded" })).toContain("CONFIG_PROFILE engine undefined");
    expect(wrong({ ...VALUE, name: 12 })).toEqual(["CONFIG_VALUE name undefined"]);
    expect(wrong({ ...VALUE, name: "{a: &b" })).toEqual(["CONFIG_VALUE name undefined"]);
    expect(wrong(undefined)).not.toEqual([]);
    expect(wrong("x".repeat(70_000))).toEqual(["CONFIG_YAML  undefined"]);
  });
});
