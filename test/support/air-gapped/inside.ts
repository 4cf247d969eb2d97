// Run in the network namespace of a site: does what a person with a provisioning tool or the database's reader does there, and prints JSON.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildModel } from "../../../modules/index.ts";
import { referencePlacement } from "../../../modules/reference-placement.ts";
import { readImageLock } from "../../../operations/images/lock-file.ts";
import { pinsOf } from "../../../operations/images/pins.ts";
import packageJson from "../../../package.json" with { type: "json" };
import { parseDeploymentYaml } from "../../../profiles/parse.ts";
import { callControl } from "../../../shared/control-client.ts";
import { dockerSite } from "../../../stacks/docker/life/certs-site.ts";
import { runAsOf } from "../../../stacks/docker/life/options.ts";
import { provision } from "../../../stacks/host/provision.ts";
import { docker, openDatabase } from "../docker.ts";
import type { Asked } from "./asked.ts";

const asked = JSON.parse(process.argv[2] ?? "") as Asked;
const deployment = parseDeploymentYaml(readFileSync(asked.file, "utf8"), asked.file);
process.stdout.write(JSON.stringify(asked.what === "rows" ? await rows() : await provisionAll()));

async function rows() {
  const secret = (component: string, name: string) => readFileSync(join(asked.dir, "secrets", component, name), "utf8");
  const database = await openDatabase({ tenant: deployment.tenant, secret });
  try {
    const [found] = await database.query<{ rows: string; sensors: string }>(
      "SELECT count(*) AS rows, count(DISTINCT sensor_id) AS sensors FROM telemetry",
    );
    return { rows: Number(found?.rows), sensors: Number(found?.sensors) };
  } finally {
    await database.close();
  }
}

/** Provisions every sensor of the simulator that is fresh, as deploy does in profile `dev` alone. */
async function provisionAll() {
  const site = await dockerSite(
    {
      deployment,
      dir: asked.dir,
      temporaryDir: asked.temporaryDir,
      images: pinsOf(
        deployment,
        buildModel(deployment, referencePlacement(deployment)),
        readImageLock(join(dirname(asked.file), "images.lock.yaml")),
        packageJson.version,
      ),
      runAs: runAsOf(process.getuid?.() ?? 0, process.getgid?.() ?? 0),
      mayChown: true,
      env: process.env,
      clock: () => new Date(),
      pid: process.pid,
      signal: AbortSignal.timeout(60_000),
      docker,
      providerMirror: undefined,
      fallbackProgram: undefined,
      onProgress: () => undefined,
    },
    "a person with a provisioning tool",
  );
  const operator = await site.operator();
  const sensors = (await callControl(asked.simulator, "GET", "/sensors")) as readonly {
    readonly sensor_id: string;
    readonly state: string;
  }[];
  const fresh = sensors.filter(({ state }) => state === "factory");
  for (const { sensor_id } of fresh) {
    await provision(
      operator,
      async (question) =>
        (await callControl(asked.simulator, "POST", `/sensors/${sensor_id}/radio`, question)) as Record<
          string,
          unknown
        >,
    );
    await callControl(asked.simulator, "POST", `/sensors/${sensor_id}/join`);
  }
  return { provisioned: fresh.length };
}
