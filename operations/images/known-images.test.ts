import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import { buildModel } from "../../modules/index.ts";
import { referencePlacement } from "../../modules/reference-placement.ts";
import { isBelow, UPSTREAM_DOMAINS } from "../../profiles/provider-hosts.ts";
import { defaultDeployment } from "../../profiles/resolve.ts";
import { KNOWN_IMAGES } from "./known-images.ts";
import { apiHost } from "./reference.ts";

const deployment: Deployment = {
  ...defaultDeployment(),
  engine: "docker",
  images: { source: "packages", grafana: "present" },
};
const { components } = buildModel(deployment, referencePlacement(deployment));

/** Programs of an image that is made here, or undefined for one with a Node runtime or from a registry alone. */
function programsOf(image: string): readonly string[] | undefined {
  const contents = KNOWN_IMAGES[image]?.contents;
  if (contents?.kind === "packages") return contents.programs;
  return contents?.kind === "tools" ? Object.values(contents.tools) : undefined;
}

/** Programs that a container of a component starts, as they lie in an image whose `/bin` is a link to `/usr/bin`. */
function startedBy({ command, health }: Component): readonly string[] {
  const checked = health.kind === "command" ? health.command.slice(0, 1) : [];
  return [...(command?.slice(0, 1) ?? []), ...checked].map((path) =>
    path.slice(1).replace(/^(?=(?:s?bin|lib)\/)/, "usr/"),
  );
}

describe("KNOWN_IMAGES", () => {
  it("has an image for every component that runs in a container", () => {
    expect(components.map(({ image }) => image ?? "none").filter((image) => !(image in KNOWN_IMAGES))).toEqual([]);
  });

  it("has an image for authorities whose keys are on a token, with the library that reaches it and the same programs", () => {
    const issuing = { kind: "pkcs11", module: "/m.so", token: "t", pinFile: "/pin", keyPrefix: "demo" } as const;
    const withToken = { ...deployment, pki: { ...deployment.pki, issuing } };
    const images = buildModel(withToken, referencePlacement(withToken)).components.filter(({ name }) =>
      name.endsWith("-ca"),
    );
    expect(images.map(({ image }) => image)).toEqual(["step-ca-pkcs11", "step-ca-pkcs11"]);
    for (const component of images) {
      const programs = programsOf(component.image ?? "") ?? [];
      expect(startedBy(component).filter((program) => !programs.includes(program))).toEqual([]);
    }
    expect(KNOWN_IMAGES["step-ca-pkcs11"]?.contents).toMatchObject({ packages: ["p11-kit-modules"] });
    expect(KNOWN_IMAGES["step-ca"]?.contents).not.toHaveProperty("packages");
  });

  it("has what talks to a TPM in custody's image for one alone", () => {
    expect(KNOWN_IMAGES.custody?.contents).toMatchObject({ assets: [] });
    expect(KNOWN_IMAGES.custody?.contents).not.toHaveProperty("packages");
    expect(KNOWN_IMAGES["custody-tpm2"]?.contents).toMatchObject({ service: "custody", assets: [] });
  });

  it("has every program of tpm2-tools that custody runs in its image for a TPM", () => {
    const sources = ["certs/signers/tpm2-job.ts", "custody/backends/tpm2.ts"].map((file) => readFileSync(file, "utf8"));
    const run = [...sources.join("").matchAll(/"(tpm2_[a-z]+)"/g)].map(([, name]) => `usr/bin/${name}`);
    expect(run.length).toBeGreaterThan(4);
    expect(KNOWN_IMAGES["custody-tpm2"]?.contents).toMatchObject({ programs: expect.arrayContaining(run) });
  });

  it("has in each image that is made here the programs that its components start", () => {
    const missing = components.flatMap((component) => {
      const programs = programsOf(component.image ?? "");
      return programs === undefined ? [] : startedBy(component).filter((program) => !programs.includes(program));
    });
    expect(missing).toEqual([]);
  });

  it("names services and folders of the project", () => {
    for (const { contents } of Object.values(KNOWN_IMAGES)) {
      if (contents?.kind !== "service") continue;
      expect(existsSync(new URL(`../../services/${contents.service}/main.ts`, import.meta.url))).toBe(true);
      for (const { from } of contents.assets) expect(existsSync(new URL(`../../${from}`, import.meta.url))).toBe(true);
    }
  });

  it("never takes upstream's step-ca, where every provisioner may revoke everything", () => {
    for (const name of ["step-ca", "step-ca-pkcs11"]) expect(KNOWN_IMAGES[name]).not.toHaveProperty("upstream");
  });

  it("pins every upstream image to a version", () => {
    for (const { upstream } of Object.values(KNOWN_IMAGES)) if (upstream) expect(upstream).toMatch(/:v?\d+\.\d+\.\d+/);
  });
});

it("come, where they are other makers', from registries that no customer's mirror may be", () => {
  const upstream = Object.values(KNOWN_IMAGES).flatMap(({ upstream: reference }) => reference ?? []);
  expect(upstream.length).toBeGreaterThan(3);
  for (const reference of upstream) expect(isBelow(apiHost(reference), UPSTREAM_DOMAINS), reference).toBe(true);
});
