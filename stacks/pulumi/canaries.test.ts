import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Canary, needlesOf } from "../../operations/verify/search/needles.ts";
import type { Place } from "../../operations/verify/search/place.ts";
import { type Hit, searchFor } from "../../operations/verify/search/search.ts";
import { keyCores, textCores } from "../../test/support/canary/secrets.ts";
import { EXAMPLES, exampleArgs, freshFolder, known, planDocker, underMocks } from "../../test/support/pulumi.ts";
import type { TrustKernDeploymentArgs } from "./args.ts";
import { TrustKernDeployment } from "./deployment.ts";
import { planDeployment } from "./plan-deployment.ts";
import type { Transform } from "./transform.ts";

const ENVIRONMENT = ["TRUSTKERN_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE", "AWS_SECRET_ACCESS_KEY", "DOCKER_TLS_KEY"];

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Secrets in every file that a component's secret is, in volumes, in the authorities' folder, and in the environment. */
function plant(args: TrustKernDeploymentArgs): readonly Canary[] {
  const { layout, model } = planDocker(args).context;
  const inSecrets = model.components.flatMap(({ name, secrets }) =>
    secrets.map((secret) => join(layout.secretsDir, name, secret.name)),
  );
  const inVolumes = model.components.flatMap(({ name, volumes }) =>
    volumes.map((volume) => join(layout.volumesDir, name, volume.name, "state")),
  );
  const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "pem", type: "pkcs8" });
  const texts = { secrets: newText(), volumes: newText(), environment: newText() };
  for (const file of [...inSecrets, join(layout.secretsDir, "authorities", "passphrase")]) write(file, texts.secrets);
  for (const file of inVolumes) write(file, texts.volumes);
  write(join(layout.authoritiesDir, "root.key"), key.toString());
  for (const name of ENVIRONMENT) vi.stubEnv(name, texts.environment);
  return [
    ...Object.entries(texts).map(([name, text]) => ({ name, cores: textCores(text), homes: [] })),
    { name: "authorities", cores: keyCores(key.toString()), homes: [] },
  ];
}

const newText = (): string => randomBytes(24).toString("base64url");

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode: 0o600 });
}

async function found(canaries: readonly Canary[], places: readonly Place[]): Promise<readonly Hit[]> {
  return searchFor(needlesOf(canaries))(
    (async function* () {
      yield* places;
    })(),
  );
}

const place = (name: string, content: unknown): Place => ({ name, content: JSON.stringify(content) });

describe.each(EXAMPLES)(
  "a deployment of examples/%s whose state directory and environment are full of secrets",
  (example) => {
    it("has none of them in any input, in any output, and in what a transform is handed", async () => {
      const handed: unknown[] = [];
      const transform: Transform = (object) => {
        handed.push(object);
        return undefined;
      };
      const args = { ...exampleArgs(example, freshFolder()), transform };
      const canaries = plant(args);
      const { result, registrations } = await underMocks(() => new TrustKernDeployment("acme", args));
      const { containers, networks, endpoints, secrets, processLimits, urn } = result;
      const listed = Promise.all([known(containers), known(networks), known(endpoints), known(secrets)]);
      const outputs = [await listed, await known(processLimits), await known(urn)];
      expect(registrations.length).toBeGreaterThan(20);
      const places = [place("inputs", registrations), place("outputs", outputs), place("transform", handed)];
      expect(await found(canaries, places)).toEqual([]);
    });
  },
);

it("is found out where one of them is in an input, encoded", async () => {
  const canaries = plant(exampleArgs("single-host", freshFolder()));
  const { registrations } = await underMocks(() => new TrustKernDeployment("acme", exampleArgs("single-host")));
  const [canary] = canaries;
  const [core] = canary?.cores ?? [];
  const leaked = registrations.map((each, index) => {
    return index === 5 ? { ...each, inputs: { ...each.inputs, label: core?.bytes.toString("base64") } } : each;
  });
  expect(await found(canaries, [place("inputs", leaked)])).toContainEqual(
    expect.objectContaining({ canary: canary?.name }),
  );
});

it("tells none of them in what a refusal says", async () => {
  const args = exampleArgs("single-host", freshFolder());
  const canaries = plant(args);
  const text = process.env[ENVIRONMENT[0] ?? ""] ?? "";
  const leaking: Transform = (object) => {
    if (object.kind !== "container") return undefined;
    const label = { label: "k", value: text };
    return { ...object, inputs: { ...object.inputs, envs: [`X=${text}`], labels: [label], user: text } };
  };
  let said: unknown;
  try {
    planDeployment({ ...args, transform: leaking });
  } catch (thrown) {
    const { code, message, fix, path, cause } = thrown as Error & Record<string, unknown>;
    said = { code, message, fix, path, cause };
  }
  expect(said).toMatchObject({ code: "PULUMI_TRANSFORM_REFUSED" });
  expect(await found(canaries, [place("error", said)])).toEqual([]);
});
