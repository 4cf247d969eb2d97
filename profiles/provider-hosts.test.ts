import { describe, expect, it } from "vitest";
import { isAwsRegion, isBelow, regionInHost, UPSTREAM_DOMAINS } from "./provider-hosts.ts";

describe("the region in a host's name", () => {
  it.each([
    ["s3.us-east-1.amazonaws.com", "us-east-1"],
    ["bucket.s3.eu-central-1.amazonaws.com", "eu-central-1"],
    ["s3-eu-west-1.amazonaws.com", "eu-west-1"],
    ["https://s3.us-gov-west-1.amazonaws.com/x", "us-gov-west-1"],
    ["kms.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"],
    ["123456789012.dkr.ecr.us-east-1.amazonaws.com/hub", "us-east-1"],
    ["123456789012.DKR.ECR.US-EAST-1.amazonaws.com:443/hub", "us-east-1"],
    ["s3.ap-southeast-2.example", "ap-southeast-2"],
    ["s3.amazonaws.com", "us-east-1"],
  ])("%s is %s", (host, region) => {
    expect(regionInHost(host)).toBe(region);
  });

  it.each([
    "registry.example",
    "acme-west-1.example",
    "plant-east-1.internal",
    "8.8.8.8",
    "state.internal:8443/us-east-1/x",
    "amazonaws.com.example",
  ])("%s has none", (host) => {
    expect(regionInHost(host)).toBeUndefined();
  });

  it("is AWS's by its form alone", () => {
    expect(["eu-central-1", "us-gov-west-1"].every(isAwsRegion)).toBe(true);
    expect(["local", "westeurope", "eu-central", "x.eu-central-1", "fr-par"].some(isAwsRegion)).toBe(false);
  });
});

it("knows upstream's registries by their domains", () => {
  expect(
    ["docker.io", "registry-1.docker.io", "Docker.io/hub", "hub.docker.com:443"].every((host) =>
      isBelow(host, UPSTREAM_DOMAINS),
    ),
  ).toBe(true);
  expect(
    ["notdocker.io", "docker.io.example", "mirror.example/docker.io"].some((host) => isBelow(host, UPSTREAM_DOMAINS)),
  ).toBe(false);
});
