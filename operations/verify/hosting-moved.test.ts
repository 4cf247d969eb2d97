import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { dockerLayout } from "../../stacks/docker/life/docker-layout.ts";
import type { DockerOptions } from "../../stacks/docker/life/options.ts";
import { planDocker } from "../../stacks/docker/life/plan-docker.ts";
import { dockerErrors } from "../../stacks/host/docker-cli.ts";
import { writeState } from "../../stacks/host/state.ts";
import { DEPLOYMENTS, renderedDeployment } from "../../test/support/rendered.ts";
import { thisMachine } from "../doctor/this-machine.ts";
import { verifyBoundary } from "./boundary.ts";

const deployment = DEPLOYMENTS["eu-hosted"];
const { account } = deployment.hosting;
let options: DockerOptions;
beforeEach(() => {
  const dir = mkdtempSync(join(tmpdir(), "tk-moved-"));
  const { images, runAs } = renderedDeployment(deployment).subject;
  options = {
    ...{ deployment, dir, temporaryDir: tmpdir(), images, runAs, mayChown: false, env: {}, clock: () => new Date() },
    ...{
      pid: process.pid,
      signal: new AbortController().signal,
      providerMirror: undefined,
      fallbackProgram: undefined,
    },
    docker: () => Promise.reject(dockerErrors.error("DOCKER_UNREACHABLE", "nobody asks it")),
    onProgress: () => undefined,
  };
});
afterEach(() => rmSync(options.dir, { recursive: true }));

function deployedIn(region: string): void {
  const hosting = { region, account };
  const createdAt = "2027-03-01T00:00:00Z";
  writeState(dockerLayout(options).layout.stateFile, {
    ...{ schema: "trustkern.docker-state/1", tenant: deployment.tenant, createdAt, ports: {}, volumes: [], hosting },
  });
}

const verify = () =>
  verifyBoundary({
    ...{ deployment, lines: [], layers: ["model"], clock: () => new Date(), onLayer: () => undefined },
    docker: { ...options, machine: thisMachine({}, options.signal) },
  });
const plan = (destroy: boolean) => planDocker({ ...options, destroy, onResource: () => undefined });

it("keeps a plan and a proof from speaking of another region than that of the first deploy", async () => {
  deployedIn("eu-west-1");
  const moved = { code: "HOSTING_MOVED", path: "hosting.region" };
  await expect(plan(false)).rejects.toMatchObject(moved);
  await expect(verify()).rejects.toMatchObject(moved);
});

it("keeps neither where the region is the same, nor what ends the deployment", async () => {
  deployedIn("eu-central-1");
  await expect(plan(false)).rejects.toMatchObject({ code: "DOCKER_UNREACHABLE" });
  expect((await verify()).layers).toEqual(["model"]);
  deployedIn("eu-west-1");
  await expect(plan(true)).rejects.toMatchObject({ code: "DOCKER_UNREACHABLE" });
});
