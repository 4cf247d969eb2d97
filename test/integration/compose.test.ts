import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { LEAST_FILES } from "../../profiles/test-files.ts";
import { PROJECT, scratch } from "../support/deployment.ts";
import { exported } from "../support/exported.ts";
import { canonical } from "./compose/canonical.ts";
import { DockerCompose } from "./compose/docker-compose.ts";

// biome-ignore lint/suspicious/noExplicitAny: a file of Compose, read as anybody would
type Loose = any;

const example = (name: string): object =>
  parse(readFileSync(join(PROJECT, "examples", name, "trustkern.yaml"), "utf8"));
const FILES: Readonly<Record<string, object>> = {
  "single-host": example("single-host"),
  "eu-hosted": example("eu-hosted"),
  "air-gapped": example("air-gapped"),
  "customer-tenant": LEAST_FILES["customer-tenant"],
};

const { dir, remove } = scratch("compose");
const compose = new DockerCompose();
beforeAll(() => compose.start(), 1_900_000);
afterAll(remove);

async function exportOf(name: string): Promise<string> {
  const { folder, files } = await exported(FILES[name] ?? {}, join(dir, name), "compose");
  return join(folder, files[0] ?? "");
}

describe.each(Object.keys(FILES))("the export of %s", (name) => {
  it("is to Docker Compose what it says, member by member", async () => {
    const file = await exportOf(name);
    const { code, stdout, stderr } = await compose.config(file);
    expect([code, stderr]).toEqual([0, ""]);
    const said = parse(readFileSync(file, "utf8"));
    expect(Object.keys(said.services).length).toBeGreaterThan(5);
    expect(canonical(parse(stdout))).toEqual(canonical(said));
  });
});

it("takes a $ in a path as it is, whatever the environment of whoever starts it has", async () => {
  const place = join(dir, "$HOME, $$HOME, $& and $ alone");
  const { folder, files } = await exported(FILES["single-host"] ?? {}, place, "compose");
  const { code, stdout } = await compose.config(join(folder, files[0] ?? ""), { HOME: "/elsewhere" });
  expect(code).toBe(0);
  // What it prints is a file again, in which `$$` is the character.
  const sources = Object.values<Loose>(parse(stdout.replaceAll("$$", () => "$")).services).flatMap(
    ({ volumes }) => volumes,
  );
  const outside = sources.map(({ source }) => source).filter((source) => !source.startsWith(`${place}/.trustkern/`));
  expect(outside).toEqual([]);
});

describe("Docker Compose", () => {
  it.each<[string, (service: Record<string, unknown>) => unknown]>([
    ["a member that it does not know", (service) => (service.memory_limit = "64m")],
    ["a size that is none", (service) => (service.mem_limit = "much")],
    ["a network that the file does not have", (service) => (service.networks = { elsewhere: {} })],
    ["a variable without a value", (service) => (service.user = ["$", "{TK_NOBODY:?}"].join(""))],
  ])("refuses %s, so that what it takes was read", async (what, change) => {
    const file = await exportOf("single-host");
    const said = parse(readFileSync(file, "utf8"));
    change(said.services.collector);
    const changed = join(dir, `${what}.yaml`);
    writeFileSync(changed, stringify(said));
    expect((await compose.config(changed)).code).not.toBe(0);
  });

  it("says another thing where one member is another", async () => {
    const file = await exportOf("single-host");
    const said = parse(readFileSync(file, "utf8"));
    const [first] = said.services.collector.volumes;
    for (const change of [
      { pids_limit: 4096 },
      { mem_limit: "999m" },
      { read_only: false },
      { cap_drop: [] },
      { security_opt: [] },
      { ipc: "host" },
      { user: "0:0" },
      { ulimits: { core: { soft: 0, hard: 1 } } },
      { volumes: said.services.collector.volumes.with(0, { ...first, bind: { create_host_path: true } }) },
    ]) {
      const other = structuredClone(said);
      Object.assign(other.services.collector, change);
      const changed = join(dir, "other.yaml");
      writeFileSync(changed, stringify(other));
      const { stdout } = await compose.config(changed);
      expect(canonical(parse(stdout)), JSON.stringify(change)).not.toEqual(canonical(said));
    }
  });
});
