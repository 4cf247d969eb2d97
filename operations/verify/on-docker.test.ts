import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dockerErrors } from "../../stacks/host/docker-cli.ts";
import { hostErrors } from "../../stacks/host/errors.ts";
import { layoutOf } from "../../stacks/host/layout.ts";
import { writeState } from "../../stacks/host/state.ts";
import { DEPLOYMENTS } from "../../test/support/rendered.ts";
import { checksOf } from "./checks.ts";
import { type Look, lookOnDocker } from "./on-docker.ts";

type DockerSubject = Parameters<Look>[0];

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tk-look-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

// What a layer is handed beyond its folder is its own business, and no layer is looked at here.
const subject = () => ({ deployment: DEPLOYMENTS["single-host"], dir, temporaryDir: tmpdir() }) as DockerSubject;
const look = (work: Look) => lookOnDocker("running", subject(), work);
const failing =
  (thrown: unknown): Look =>
  () =>
    Promise.reject(thrown);

describe("a deployment that is there", () => {
  beforeEach(() =>
    writeState(layoutOf(dir, tmpdir()).stateFile, {
      schema: "trustkern.docker-state/1",
      tenant: "acme",
      createdAt: "2026-01-01T00:00:00.000Z",
      ports: {},
      volumes: [],
    }),
  );

  it("has the results of its layer as they are", async () => {
    const results = checksOf("running").map((id) => ({ id, outcome: "broken" as const, seen: "x", findings: [] }));
    expect(await look(async () => results)).toBe(results);
  });

  it.each(["DOCKER_MISSING", "DOCKER_UNREACHABLE", "DOCKER_FAILED"] as const)("proves nothing by %s", async (code) => {
    const results = await look(failing(dockerErrors.error(code, "no answer")));
    expect(results.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual(
      checksOf("running").map((id) => `${id} not-proven`),
    );
    expect(results[0]?.findings[0]).toMatchObject({ code, message: "no answer" });
  });

  it("ends with what was cancelled, and with a fault of ours", async () => {
    const cancelled = hostErrors.error("DEPLOY_CANCELLED", "interrupted");
    await expect(look(failing(cancelled))).rejects.toBe(cancelled);
    await expect(look(failing(new TypeError("a bug")))).rejects.toThrow("a bug");
  });
});

it("is not looked at where nothing was deployed", async () => {
  const results = await look(failing(new TypeError("was looked at")));
  expect(results).toHaveLength(checksOf("running").length);
  expect(
    results.every(({ outcome, findings }) => outcome === "not-proven" && findings[0]?.code === "NOT_DEPLOYED"),
  ).toBe(true);
});
