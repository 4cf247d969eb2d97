import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { filePlaces } from "../../../operations/verify/search/files.ts";
import { type Canary, needlesOf } from "../../../operations/verify/search/needles.ts";
import type { Place } from "../../../operations/verify/search/place.ts";
import { type Hit, searchFor } from "../../../operations/verify/search/search.ts";
import { hostSocket } from "../../../stacks/docker/mounts.ts";
import { foldersOf } from "../../../stacks/docker/terraform/environment.ts";
import { dockerOutput } from "../../../stacks/host/docker-cli.ts";
import { layoutOf } from "../../../stacks/host/layout.ts";
import {
  childPlaces,
  containerPlaces,
  imagePlaces,
  lokiPlaces,
  networkPlaces,
  prometheusPlaces,
} from "../../support/canary/places.ts";
import {
  type PlantedContainer,
  plant,
  plantContainer,
  plantTerraform,
  terraform,
} from "../../support/canary/planted.ts";
import { readCanaries } from "../../support/canary/secrets.ts";
import { scratch } from "../../support/deployment.ts";
import { docker, singleHost, succeed } from "../../support/docker.ts";

/** Secrets that a deploy keeps where they are there before it. */
const KNOWN = [
  "authorities/passphrase",
  "custody/passphrase",
  "database/owner.password",
  "database/writer.password",
  "database/reader.password",
  "gateways-ca/intermediate.password",
  "operators-ca/intermediate.password",
];
/** The files that hold secrets, by their names; Grafana's are not here, as long as it is not. */
const KINDS = [
  "<device>.json",
  "<generation>.key",
  "audit-signer.key",
  "audit.key",
  "broker.next.key",
  "database.password",
  "gateways.key",
  "identity.age",
  "intermediate.key",
  "intermediate.password",
  "metrics.key",
  "network.key",
  "operators.jwe",
  "operators.key",
  "owner.password",
  "passphrase",
  "probe-revoked.key",
  "reader.password",
  "root.key.age",
  "services.key",
  "signing.key",
  "tls.key",
  "token",
  "writer.password",
];
const LABEL = "trustkern.deployment=single-host";

const { dir, remove } = scratch("canary");
const { dir: planting, remove: removePlanting } = scratch("canary-planted");
const example = singleHost(dir);
const layout = layoutOf(example.dir, "/tmp");
const known = new Map(KNOWN.map((name) => [name, randomBytes(24).toString("base64url")]));
/** What commands printed, and what they and their children were started with. */
const said: Place[] = [];
let containers: readonly string[];
let images: readonly string[];
let canaries: readonly Canary[];
let find: (places: AsyncIterable<Place>) => Promise<readonly Hit[]>;

beforeAll(async () => {
  for (const [name, value] of known) {
    mkdirSync(dirname(join(layout.secretsDir, name)), { recursive: true, mode: 0o700 });
    writeFileSync(join(layout.secretsDir, name), value, { mode: 0o600 });
  }
  await say("images", "lock");
  await say("plan", "--out", join(dir, "first.plan"));
  await watched(say("deploy", join(dir, "first.plan"), "--wait"));
  await say("plan", "--json", "--out", join(dir, "second.plan"));
  await say("deploy", "--wait", "--json", "--progress", "json");
  for (const command of ["status", "synth", "diagram", "config show"]) await say(...command.split(" "));
  await say("status", "--json");
  containers = await lines(["ps", "--all", "--format", "{{.Names}}", "--filter", `label=${LABEL}`]);
  const ids = await Promise.all(containers.map((name) => lines(["inspect", "-f", "{{.Image}}", name])));
  images = [...new Set(ids.flat())];
  canaries = await readCanaries(layout);
  find = searchFor(needlesOf(canaries));
}, 400_000);
afterAll(async () => {
  await example.cli(["destroy", "--volumes", "--yes"]);
  remove();
  removePlanting();
}, 200_000);

async function say(...args: readonly string[]): Promise<void> {
  const { stdout, stderr } = await succeed(example, args);
  said.push({ name: `stdout of ${args[0]}`, content: stdout }, { name: `stderr of ${args[0]}`, content: stderr });
}

/** Looks at every process that is started for it while something goes on. */
async function watched(work: Promise<void>): Promise<void> {
  const over = new AbortController();
  const watch = async (): Promise<void> => {
    for (; !over.signal.aborted; await sleep(200)) {
      for await (const place of childPlaces(process.pid)) seen.set(String(place.content), place);
    }
  };
  const seen = new Map<string, Place>();
  await Promise.all([work.finally(() => over.abort()), watch()]);
  said.push(...seen.values());
}

async function lines(args: readonly string[]): Promise<readonly string[]> {
  return (await dockerOutput(docker, args)).split("\n").filter(Boolean);
}

/** What was found where it does not belong. */
async function strays(places: AsyncIterable<Place>): Promise<readonly string[]> {
  return straysOf(await find(places));
}

function straysOf(hits: readonly Hit[]): readonly string[] {
  return hits.filter(({ belongs }) => !belongs).map(({ place, canary, form }) => `${place}: ${canary} as ${form}`);
}

describe("the search finds, in every place that it looks at, a canary planted there on purpose in every encoding", () => {
  const planted = plant();
  const findPlanted = searchFor(needlesOf(planted.canaries));
  const everything = planted.canaries.map(({ name }) => name).sort();
  const text = [...planted.textNames].sort();
  let container: PlantedContainer;

  beforeAll(async () => {
    const [node = ""] = await lines(["inspect", "-f", "{{.Image}}", "collector"]);
    container = await plantContainer(planted, planting, node, hostSocket(layout, "shipper", "logs"));
    await plantTerraform(planted, join(planting, "terraform"));
  }, 60_000);
  afterAll(() => container?.remove());

  /** Names of the planted canaries that are found in those of the places whose name begins so. */
  async function foundIn(places: AsyncIterable<Place>, place: string): Promise<readonly string[]> {
    const hits = (await findPlanted(places)).filter((hit) => hit.place.startsWith(place));
    return [...new Set(hits.map(({ canary }) => canary))].sort();
  }

  it.each(["docker inspect of container", "cmdline of process", "environ of process"])("%s", async (place) => {
    expect(await foundIn(containerPlaces([container.name]), place)).toEqual(text);
  });

  it.each(["docker logs of canary-planted, stdout", "docker logs of canary-planted, stderr", "scratch of"])(
    "%s",
    async (place) => {
      expect(await foundIn(containerPlaces([container.name]), place)).toEqual(everything);
    },
  );

  it.each([
    ["docker inspect of image", text],
    ["docker history", text],
    ["image layers", everything],
  ])("%s", async (place, expected) => {
    expect(await foundIn(imagePlaces([container.image]), place)).toEqual(expected);
  });

  it.each([
    "terraform.tfstate",
    "terraform.tfstate.backup",
    "the.plan (tfplan)",
    "the.plan (tfstate)",
    "state.json",
    "plan.json",
  ])("%s", async (place) => {
    expect(await foundIn(filePlaces(join(planting, "terraform")), place)).toEqual(text);
  });

  it("processes that a command starts", async () => {
    const wait = ["-e", "setInterval(() => undefined, 1_000)", planted.text];
    const child = spawn(process.execPath, wait, { env: { PLANTED: planted.text }, stdio: "ignore" });
    await once(child, "spawn");
    const found = {
      cmdline: await foundIn(childPlaces(process.pid), "cmdline"),
      environ: await foundIn(childPlaces(process.pid), "environ"),
    };
    child.kill("SIGKILL");
    expect(found).toEqual({ cmdline: text, environ: text });
  });

  it("Loki, as it answers and in its volume", async () => {
    const answered = () => foundIn(lokiPlaces(example), "");
    for (const end = Date.now() + 30_000; Date.now() < end; await sleep(500)) {
      if ((await answered()).length === text.length) break;
    }
    expect(await answered()).toEqual(text);
    expect(await foundIn(filePlaces(layout.volumesDir), "loki/")).toEqual(expect.arrayContaining(text));
  });
});

describe("no secret of the deployment is anywhere but in its files", () => {
  it("has a canary of every kind", () => {
    const files = canaries.flatMap(({ name }) => name.split(" = ")).map((name) => name.split("/").at(-1) ?? "");
    const kinds = files.map((file) =>
      file.replace(/^[0-9a-f]{18}\./, "<device>.").replace(/^[0-9a-f]{16}\./, "<generation>."),
    );
    expect([...new Set(kinds)].sort()).toEqual(KINDS);
  });

  it("was deployed with the secrets that were there before", () => {
    const changed = [...known].filter(([name, value]) => readFileSync(join(layout.secretsDir, name), "utf8") !== value);
    expect(changed.map(([name]) => name)).toEqual([]);
  });

  it("what commands printed, and processes while they ran", async () => {
    const arguments_ = said.filter(({ name }) => name.startsWith("cmdline")).map(({ content }) => String(content));
    expect(arguments_.some((one) => one.split("\0").includes("apply"))).toBe(true);
    expect(await strays(Readable.from(said))).toEqual([]);
  });

  it("containers, with their processes, logs and scratch, and networks", async () => {
    const given = readdirSync(layout.secretsDir).filter((name) => name !== "authorities");
    expect(containers).toEqual(expect.arrayContaining(given));
    expect(await strays(containerPlaces(containers))).toEqual([]);
    expect(await strays(networkPlaces(LABEL))).toEqual([]);
  });

  it("images and their layers", async () => {
    expect(await strays(imagePlaces(images))).toEqual([]);
  });

  it("Loki and Prometheus, as they answer", async () => {
    expect(await strays(lokiPlaces(example))).toEqual([]);
    expect(await strays(prometheusPlaces(example))).toEqual([]);
  });

  it("what Terraform shows of its state and of plans", async () => {
    const { dataDir, cliConfigFile } = foldersOf(layout.terraformDir);
    const env = { TF_DATA_DIR: dataDir, TF_CLI_CONFIG_FILE: cliConfigFile };
    const shown = [[], [join(dir, "first.plan")], [join(dir, "second.plan")]].map(async ([file = ""]) => {
      const { stdout } = await terraform(layout.terraformDir, ["show", "-json", ...(file === "" ? [] : [file])], env);
      expect(JSON.parse(stdout)).toHaveProperty("format_version");
      return { name: `show of ${file || "the state"}`, content: stdout };
    });
    expect(await strays(Readable.from(await Promise.all(shown)))).toEqual([]);
  });

  it.each([
    ["while it runs", () => Promise.resolve()],
    ["after it was destroyed", () => say("destroy", "--yes")],
  ])("the files of the deployment %s: each secret is in its own and in no other", async (_, before) => {
    await before();
    const hits = await find(filePlaces(dir));
    const own = hits.filter(({ belongs }) => belongs).map(({ place }) => place);
    expect(own).toEqual(expect.arrayContaining(canaries.flatMap(({ homes }) => homes)));
    expect(straysOf(hits)).toEqual([]);
  });
});
