import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findingsOf } from "../../../model/findings.ts";
import { writeState } from "../../host/state.ts";
import { deploymentOf, KUBERNETES_FILES } from "../test-deployments.ts";
import { clusterLayout } from "./layout.ts";
import { prepareStore, secretObjects } from "./secrets.ts";
import { type TestSite, testSite, VAULT_CANARY } from "./test-site.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tk-store-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const layoutOf = ({ options, model }: TestSite) => clusterLayout(options, model);
const prepared = (site: TestSite) => prepareStore(site.options, { ...site, layout: layoutOf(site) });
const refused = (site: TestSite): Promise<unknown> => prepared(site).catch((thrown: unknown) => thrown);
const siteOf = (profile: keyof typeof KUBERNETES_FILES) => testSite(dir, "", deploymentOf(KUBERNETES_FILES[profile]));
const put = (site: TestSite, name: string, text: string): void => {
  const file = join(layoutOf(site).secretsDir, name);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, text, { mode: 0o600 });
};
const remember = (site: TestSite, more: object): void => {
  const state = { schema: "trustkern.kubernetes-state/1", tenant: "acme", createdAt: "2026-01-01T00:00:00Z" } as const;
  mkdirSync(layoutOf(site).dir, { recursive: true });
  writeState(layoutOf(site).stateFile, { ...state, ports: {}, volumes: [], ...more });
};

describe("secrets that only the operator has", () => {
  it("are asked for all at once, each by its file: credentials of each component that asks AWS", async () => {
    const site = siteOf("eu-hosted");
    const thrown = await refused(site);
    expect(thrown).toMatchObject({ code: "SECRET_NEEDED", exit: 2 });
    expect(
      findingsOf(thrown)
        .map(({ path }) => path.slice(layoutOf(site).secretsDir.length + 1))
        .sort(),
    ).toEqual(["custody/aws.credentials", "gateways-ca/aws.credentials", "operators-ca/aws.credentials"]);
    expect(findingsOf(thrown).every(({ fix }) => fix.includes("mode 0600"))).toBe(true);
  });

  it("are asked for no more once they are there", async () => {
    const site = siteOf("eu-hosted");
    for (const component of ["custody", "gateways-ca"]) put(site, `${component}/aws.credentials`, "[default]");
    expect(findingsOf(await refused(site)).map(({ path }) => path)).toEqual([
      join(layoutOf(site).secretsDir, "operators-ca", "aws.credentials"),
    ]);
  });

  it("are those of a server elsewhere too: its token, its authorities, the password of its owner", async () => {
    const found = findingsOf(await refused(siteOf("customer-tenant")))
      .map(({ message }) => message)
      .join("\n");
    expect(found).toMatch(/"\/etc\/token" cannot be read: ENOENT/);
    expect(found).toMatch(/"\/etc\/rows-ca\.pem" cannot be read: ENOENT/);
    expect(found).toMatch(/owner\.password" is not there, and the database is somebody else's/);
  });

  it("keep everything else from being made while one is missing", async () => {
    const site = siteOf("customer-tenant");
    await refused(site);
    expect(existsSync(layoutOf(site).authoritiesDir)).toBe(false);
    expect(existsSync(layoutOf(site).stateFile)).toBe(false);
  });
});

describe("the store of a deployment in a cluster", () => {
  it("has every secret of the plan, for this user alone, and what is taken over as it is now", async () => {
    const site = testSite(dir, "");
    await prepared(site);
    const { secretsDir } = layoutOf(site);
    for (const entry of readdirSync(secretsDir, { recursive: true, withFileTypes: true })) {
      expect(statSync(join(entry.parentPath, entry.name)).mode & 0o077).toBe(0);
    }
    const kept = () => readFileSync(join(secretsDir, "custody", "vault.token"), "utf8");
    expect(kept()).toBe(VAULT_CANARY);
    writeFileSync(join(dir, "token"), "another");
    await prepared(site);
    expect(kept()).toBe("another");
  });

  it("makes no Secret of a component that the model has not", () => {
    const site = testSite(dir, "");
    const plan = { ...site.plan, secrets: [{ secret: "nobody", keys: ["key"] }] };
    expect(() => secretObjects({ layout: layoutOf(site), model: site.model, plan })).toThrow(TypeError);
  });

  it.each<readonly [string, object, string]>([
    ["another tenant's", { tenant: "globex" }, "STATE_CORRUPT"],
    ["of another engine", { schema: "trustkern.docker-state/1" }, "STATE_CORRUPT"],
    ["of another place", { hosting: { region: "mars-1", account: "local" } }, "HOSTING_MOVED"],
    ["of an earlier deploy, whose secrets are gone", {}, "STATE_CORRUPT"],
  ])("that is %s is left as it is", async (_, more, code) => {
    const site = testSite(dir, "");
    remember(site, more);
    const thrown = await refused(site);
    expect(thrown).toMatchObject({ code });
    expect(inspect(thrown, { depth: 9 })).not.toContain(VAULT_CANARY);
    expect(existsSync(layoutOf(site).authoritiesDir)).toBe(false);
  });

  it("makes no authorities whose keys belong in a KMS", async () => {
    const site = siteOf("eu-hosted");
    for (const component of ["custody", "gateways-ca", "operators-ca"]) put(site, `${component}/aws.credentials`, "x");
    expect(await refused(site)).toMatchObject({ code: "CEREMONY_NEEDED" });
  });
});
