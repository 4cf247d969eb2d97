import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Canary, needlesOf } from "../../../operations/verify/search/needles.ts";
import type { Place } from "../../../operations/verify/search/place.ts";
import { type Hit, searchFor } from "../../../operations/verify/search/search.ts";
import { textCores } from "../../../test/support/canary/secrets.ts";
import { clusterArgs, freshFolder, known, underMocks } from "../../../test/support/pulumi.ts";
import { KUBERNETES_FILES } from "../../kubernetes/test-deployments.ts";
import { TrustKernDeployment } from "../deployment.ts";
import { planDeployment } from "../plan-deployment.ts";
import type { Transform } from "../transform.ts";

const ENVIRONMENT = [
  "TRUSTKERN_PASSPHRASE",
  "PULUMI_CONFIG_PASSPHRASE",
  "AWS_SECRET_ACCESS_KEY",
  "VAULT_TOKEN",
  "KUBECONFIG",
];
const PROFILES = Object.keys(KUBERNETES_FILES) as (keyof typeof KUBERNETES_FILES)[];

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Secrets in every file that the deployment file names, in a state directory beside it, and in the environment. */
function plant(profile: keyof typeof KUBERNETES_FILES) {
  const folder = freshFolder();
  const texts = { files: newText(), state: newText(), environment: newText() };
  const tokenFile = join(folder, "token");
  writeFileSync(tokenFile, texts.files, { mode: 0o600 });
  const secrets = join(folder, ".trustkern", "secrets", "collector");
  mkdirSync(secrets, { recursive: true });
  writeFileSync(join(secrets, "tls.key"), texts.state, { mode: 0o600 });
  for (const name of ENVIRONMENT) vi.stubEnv(name, texts.environment);
  const file = KUBERNETES_FILES[profile];
  const custody = "tokenFile" in file.custody ? { ...file.custody, tokenFile } : file.custody;
  const canaries: readonly Canary[] = Object.entries(texts).map(([name, text]) => {
    return { name, cores: textCores(text), homes: [] };
  });
  return { args: clusterArgs({ ...file, custody }), canaries, texts };
}

const newText = (): string => randomBytes(24).toString("base64url");
const place = (name: string, content: unknown): Place => ({ name, content: JSON.stringify(content) });

async function found(canaries: readonly Canary[], places: readonly Place[]): Promise<readonly Hit[]> {
  return searchFor(needlesOf(canaries))(
    (async function* () {
      yield* places;
    })(),
  );
}

describe.each(PROFILES)("a deployment of profile %s, whose files and environment are full of secrets", (profile) => {
  it("has none of them in any input, in any output, and in what a transform is handed", async () => {
    const handed: unknown[] = [];
    const transform: Transform = (object) => {
      handed.push(object);
      return undefined;
    };
    const { args, canaries } = plant(profile);
    const { result, registrations } = await underMocks(() => new TrustKernDeployment("acme", { ...args, transform }));
    const { objects, namespace, endpoints, secrets, urn } = result;
    const outputs = [await known(objects), await known(namespace), await known(endpoints), await known(secrets)];
    expect(registrations.length).toBeGreaterThan(30);
    expect(handed).toHaveLength(registrations.length - 1);
    const places = [place("inputs", registrations), place("outputs", [...outputs, await known(urn)])];
    expect(await found(canaries, [...places, place("transform", handed)])).toEqual([]);
  });

  it("is found out where one of them is in an input, encoded", async () => {
    const { args, canaries } = plant(profile);
    const { registrations } = await underMocks(() => new TrustKernDeployment("acme", args));
    const [core] = canaries[0]?.cores ?? [];
    const leaked = registrations.map((each, index) => {
      return index === 9 ? { ...each, inputs: { ...each.inputs, data: core?.bytes.toString("base64") } } : each;
    });
    expect(await found(canaries, [place("inputs", leaked)])).toContainEqual(
      expect.objectContaining({ canary: "files" }),
    );
  });
});

it("tells none of them in what a refusal says", async () => {
  const { args, canaries, texts } = plant("customer-tenant");
  const leaking: Transform = (object) => {
    const { metadata, ...inputs } = object.inputs as { readonly metadata: object };
    const annotations = { k: texts.environment };
    const leaked = { ...inputs, metadata: { ...metadata, annotations }, data: { k: texts.files }, spec: texts.state };
    return { ...object, inputs: leaked } as never;
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
