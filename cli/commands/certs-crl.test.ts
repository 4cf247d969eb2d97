import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { issueIntermediate } from "../../certs/classes/intermediate.ts";
import { issueRoot } from "../../certs/classes/root.ts";
import { issueCrl } from "../../certs/crl.ts";
import { hostErrors } from "../../stacks/host/errors.ts";
import { type Outcome, runCli } from "../test-io.ts";

// The command line's clock.
const now = new Date(0);
const cwd = mkdtempSync(join(tmpdir(), "tk-crl-cli-"));
const lists: Record<string, string> = {};
const issuers: string[] = [];
let answer: () => unknown;
let away = false;

// A deployment with step-ca: its lists are not among the host's.
vi.mock("./certs-context.ts", () => ({
  certsSite: async () => ({
    tenant: "acme",
    clock: () => now,
    model: { components: [{ name: "gateways-ca" }, { name: "operators-ca" }] },
    pki: {
      converge: async () => [],
      crls: { own: () => [lists.root, lists.services] },
      store: { issuers: () => issuers },
    },
    handOver: async () => undefined,
    operator: async () => {
      if (away) throw hostErrors.error("SERVICE_FAILED", "nobody answers");
      return async () => answer();
    },
  }),
  changing: async (_: unknown, __: unknown, work: () => Promise<unknown>) => work(),
}));

beforeAll(async () => {
  const { authority: root } = await issueRoot({ tenant: "acme", now });
  const foreign = (await issueRoot({ tenant: "acme", now })).authority;
  for (const leafClass of ["services", "gateways", "operators"] as const) {
    const { authority } = await issueIntermediate(root, { leafClass, now });
    issuers.push(authority.certPem);
    lists[leafClass] = (await issueCrl(authority, { number: 3n, revoked: [], now })).pem;
  }
  lists.root = (await issueCrl(root, { number: 1n, revoked: [], now })).pem;
  const other = await issueIntermediate(foreign, { leafClass: "gateways", now });
  lists.foreign = (await issueCrl(other.authority, { number: 9n, revoked: [], now })).pem;
}, 60_000);
afterAll(() => rmSync(cwd, { recursive: true }));
beforeEach(() => {
  away = false;
  answer = () => ({ crls: [listed("gateways"), listed("operators"), listed("services")] });
});

const listed = (leafClass: string, pem = lists[leafClass]) => ({ issuer: `TrustKern ${leafClass}`, pem });
const run = (...argv: readonly string[]): Promise<Outcome> => runCli(["certs", "crl", ...argv], { cwd });

it("lists what step-ca publishes, and says that it is step-ca's", async () => {
  const { exit, stdout } = await run();
  expect(exit).toBe(0);
  expect(stdout.split("\n").filter((line) => line.endsWith("by step-ca"))).toHaveLength(2);
  expect(stdout.match(/TrustKern services/g)).toHaveLength(1);
});

it("writes every issuer's list into one file", async () => {
  expect(await run("-o", "all.pem")).toMatchObject({ exit: 0, stdout: "all.pem: 4 revocation lists\n", stderr: "" });
  const text = readFileSync(join(cwd, "all.pem"), "utf8");
  for (const name of ["root", "services", "gateways", "operators"]) expect(text).toContain(lists[name]?.trim());
});

it.each([
  ["has no list of a class", () => ({ crls: [listed("gateways")] }), ["operators"]],
  [
    "has one that an authority of others signed",
    () => ({ crls: [listed("gateways", lists.foreign), listed("operators")] }),
    ["gateways"],
  ],
  [
    "has one that is torn",
    () => ({ crls: [listed("gateways", lists.gateways?.slice(0, 200)), listed("operators")] }),
    ["gateways"],
  ],
  ["gives no lists at all", () => ({}), ["gateways", "operators"]],
  [
    "does not answer",
    () => {
      throw hostErrors.error("SERVICE_FAILED", "nobody answers");
    },
    ["gateways", "operators"],
  ],
])("names what is missing, and where it stands, where the backend %s", async (what, said, classes) => {
  answer = said;
  const { exit, stdout } = await run("--json");
  const { missing } = JSON.parse(stdout) as { missing: { issuer: string; url: string }[] };
  expect([exit, missing.map(({ issuer }) => issuer)]).toEqual([0, classes.map((each) => `TrustKern ${each}`)]);
  for (const { url } of missing) expect(url).toMatch(/^https:\/\/.*\/1\.0\/crl$/);
  expect((await run()).stdout).toContain(missing[0]?.url);
  const file = `${what.length}.pem`;
  const written = await run("-o", file);
  expect(written).toMatchObject({ exit: 1, stderr: expect.stringContaining(missing[0]?.url ?? "?") });
  expect(existsSync(join(cwd, file))).toBe(true);
});

it("removes the file again where the work for it fails", async () => {
  away = true;
  expect(await run("--publish", "-o", "none.pem", "--json")).toMatchObject({ exit: 4 });
  expect(existsSync(join(cwd, "none.pem"))).toBe(false);
});
