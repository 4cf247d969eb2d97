import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseDeploymentYaml } from "../../../profiles/parse.ts";
import type { Finding } from "../../../shared/finding.ts";
import { dockerErrors } from "../../../stacks/host/docker-cli.ts";
import { fakeMachine } from "../../doctor/fake-machine.ts";
import type { Plan } from "../install/plan.ts";
import { siteOf } from "../install/site.ts";
import { testBundle } from "../install/test-site.ts";
import { assertFit } from "./preflight.ts";

const example = join(import.meta.dirname, "../../../examples/air-gapped/trustkern.yaml");
const deployment = parseDeploymentYaml(readFileSync(example, "utf8"), example);
const old = { version: 1, manifest: `sha256:${"1".repeat(64)}` };

/** What keeps a machine without a token's library, and without an engine, from taking a bundle; and what it is warned of. */
async function refused(plan: Pick<Plan, "kind" | "from" | "steps">) {
  const { manifest, trusted } = testBundle(2);
  const warnings: string[] = [];
  const thrown = await assertFit({
    site: siteOf("/nowhere/site"),
    plan: { run: 1, target: trusted, resumes: false, abandons: undefined, ...plan },
    ...{ manifest, runtime: [], deployment },
    machine: fakeMachine(),
    docker: () => Promise.reject(dockerErrors.error("DOCKER_UNREACHABLE", "nobody answers")),
    runAs: { uid: 10_001, gid: 10_001 },
    now: () => new Date(0),
    onWarning: (what) => void warnings.push(what),
  }).catch((error: unknown) => error as { readonly code: string; readonly cause: readonly Finding[] });
  return { code: thrown?.code, codes: new Set(thrown?.cause.map(({ code }) => code)), warnings: warnings.join("\n") };
}

describe("assertFit", () => {
  it("lets a first install go on without its keys, and warns: what serves them comes with it, and its deploy asks again", async () => {
    const { code, codes, warnings } = await refused({ kind: "install", from: undefined, steps: ["stage", "deploy"] });
    expect([code, codes.has("HOST_KEYS_UNREACHABLE"), codes.has("DOCKER_UNREACHABLE")]).toEqual([
      ...["BUNDLE_PREFLIGHT", false, true],
    ]);
    expect(warnings).toContain(`there is no socket "${deployment.docker.custodySocket}"; before its deploy: start`);
  });

  it("refuses an upgrade whose keys are out of reach, before it stops what runs", async () => {
    const { code, codes, warnings } = await refused({ kind: "upgrade", from: old, steps: ["stage", "stop", "deploy"] });
    expect([code, codes.has("HOST_KEYS_UNREACHABLE")]).toEqual(["BUNDLE_PREFLIGHT", true]);
    expect(warnings).not.toContain("before its deploy");
  });
});
