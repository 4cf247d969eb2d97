import { describe, expect, it } from "vitest";
import { findingsOf } from "../model/findings.ts";
import { imageFindings } from "./image-findings.ts";
import { parseDeploymentYaml } from "./parse.ts";
import { readYaml } from "./yaml-source.ts";

function wrongWith(images: string): readonly (readonly [string, string])[] {
  try {
    parseDeploymentYaml(`name: a\ntenant: b\nprofile: dev\nengine: docker\nimages: ${images}\n`, "f");
    return [];
  } catch (thrown) {
    return findingsOf(thrown).map(({ code, path }) => [code, path]);
  }
}

describe("what is said of images", () => {
  it.each([
    "{ source: registry, mirror: mirror.example, signedBy: /etc/trustkern/images.pub }",
    "{ mirror: 'mirror.example:5000/hub/eu-1', foreign: built }",
    "{ mirror: '127.0.0.1:5000' }",
    "{ source: packages, foreign: built }",
    "{ source: bundle, foreign: upstream }",
    "{ source: bundle }",
  ])("accepts %s", (images) => expect(wrongWith(images)).toEqual([]));

  it("refuses a mirror and a signer where nothing comes from a registry, each at its place", () => {
    for (const source of ["packages", "bundle"]) {
      expect(wrongWith(`{ source: ${source}, mirror: mirror.example, signedBy: /k.pub }`)).toEqual([
        ["CONFIG_IMAGES", "images.mirror"],
        ["CONFIG_IMAGES", "images.signedBy"],
      ]);
    }
  });

  it("refuses upstream's images where they are made of packages", () => {
    expect(wrongWith("{ source: packages, foreign: upstream }")).toEqual([["CONFIG_IMAGES", "images.foreign"]]);
  });

  it.each([
    ["mirror", "https://mirror.example"],
    ["mirror", "mirror.example/"],
    ["mirror", "mirror.example/Hub"],
    ["mirror", "user@mirror.example"],
    ["mirror", "-mirror"],
    ["mirror", "mirror.example/hub:1"],
    ["signedBy", "images.pub"],
    ["foreign", "mine"],
  ])("refuses images.%s %j", (member, value) => {
    expect(wrongWith(`{ ${member}: "${value}" }`)).toEqual([["CONFIG_VALUE", `images.${member}`]]);
  });

  const ofMetrics = (images: string) =>
    imageFindings(readYaml(`profile: dev\nimages: ${images}\ntelemetry: { vendor: metrics }\n`)).map(
      ({ code, path }) => [code, path],
    );

  it.each(["{ source: packages }", "{ source: bundle }", "{ foreign: built }"])(
    "refuses metrics for the vendor from a Prometheus that can name no reader: %s",
    (images) => expect(ofMetrics(images)).toEqual([["CONFIG_IMAGES", "telemetry.vendor"]]),
  );

  it.each(["{ source: registry }", "{ source: bundle, foreign: upstream }"])("refuses no metrics with %s", (images) =>
    expect(ofMetrics(images)).toEqual([]),
  );

  it("says no more than that where the source itself is none", () => {
    expect(wrongWith("{ source: disk, mirror: mirror.example }")).toEqual([["CONFIG_VALUE", "images.source"]]);
  });
});
