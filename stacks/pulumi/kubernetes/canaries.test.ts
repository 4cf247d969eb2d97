import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Canary, needlesOf } from "../../../operations/verify/search/needles.ts";
import type { Place } from "../../../operations/verify/search/place.ts";
import { type Hit, searchFor } from "../../../operations/verify/search/search.ts";
import { textCores } from "../../../test/support/canary/secrets.ts";
import { clusterArgs, known, planCluster, underMocks } from "../../../test/support/pulumi.ts";
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
/** What AWS's and Kubernetes' own programs look for in a home. */
const OF_HOME = [".aws/credentials", ".kube/config"];
/** What belongs to the operator, and each profile's deployment names. */
const CREDENTIALS = ["gateways-ca", "operators-ca"].map((name) => `.trustkern/secrets/${name}/aws.credentials`);
const FILES: Readonly<Record<keyof typeof KUBERNETES_FILES, readonly string[]>> = {
  "eu-hosted": [...CREDENTIALS, ".trustkern/secrets/custody/aws.credentials"],
  "customer-tenant": [...CREDENTIALS, "token", "vault-ca.pem", "rows-ca.pem"],
  "air-gapped": ["token", "vault-ca.pem"],
};
type ClusterInput = ReturnType<typeof clusterArgs>["deployment"];
const PROFILES = Object.keys(KUBERNETES_FILES) as (keyof typeof KUBERNETES_FILES)[];

const cwd = process.cwd();
afterEach(() => {
  process.chdir(cwd);
  vi.unstubAllEnvs();
});

/**
 * Secrets where a program could come upon them: in the state directory beside the lock, in whose folder it runs and has its home, in
 * every file that the deployment file names, and in the environment.
 */
function plant(profile: keyof typeof KUBERNETES_FILES) {
  const plain = clusterArgs(KUBERNETES_FILES[profile]);
  const folder = dirname(plain.imageLock);
  const texts = { files: newText(), state: newText(), environment: newText() };
  const state = join(folder, ".trustkern");
  for (const { secret, keys } of planCluster(plain).plan.secrets) {
    // AWS's credentials are the operator's own file, as a token is.
    for (const key of keys)
      write(join(state, "secrets", secret, key), texts[key.startsWith("aws.") ? "files" : "state"]);
  }
  write(join(state, "authorities", "root.key"), texts.state);
  write(join(state, "terraform.tfstate"), texts.state);
  for (const name of OF_HOME) write(join(folder, name), texts.files);
  const deployment = withFiles(plain.deployment, (name) => write(join(folder, name), texts.files));
  for (const name of ENVIRONMENT) vi.stubEnv(name, texts.environment);
  vi.stubEnv("HOME", folder);
  process.chdir(folder);
  const canaries: readonly Canary[] = Object.entries(texts).map(([name, text]) => {
    return { name, cores: textCores(text), homes: [] };
  });
  return { args: { ...plain, deployment }, canaries, texts };
}

/** A deployment whose every file has been made: the token and the authorities of Vault, and those of a database elsewhere. */
function withFiles(said: ClusterInput, made: (name: string) => string): ClusterInput {
  const { custody, kubernetes } = said;
  const database = kubernetes?.external?.database;
  const vault = custody?.kind === "vault" ? { tokenFile: made("token"), caFile: made("vault-ca.pem") } : {};
  const external = {
    ...kubernetes?.external,
    ...(database && { database: { ...database, caFile: made("rows-ca.pem") } }),
  };
  return {
    ...said,
    custody: { ...custody, ...vault } as NonNullable<ClusterInput["custody"]>,
    kubernetes: { ...kubernetes, external },
  };
}

function filesIn(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function write(file: string, text: string): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode: 0o600 });
  return file;
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

  it.each([
    ["beside the lock", (lock: string) => dirname(lock)],
    ["where it runs", () => "."],
    ["in its home", () => homedir()],
  ])("is found out where it takes what lies %s into an input, encoded", async (_, folderOf) => {
    const { args, canaries } = plant(profile);
    const { registrations } = await underMocks(() => new TrustKernDeployment("acme", args));
    const data = Object.fromEntries(
      filesIn(folderOf(args.imageLock)).map((file) => [file, readFileSync(file, "base64")]),
    );
    const leaked = registrations.map((each, index) => {
      return index === 9 ? { ...each, inputs: { ...each.inputs, data, env: process.env } } : each;
    });
    const hits = await found(canaries, [place("inputs", leaked)]);
    expect(new Set(hits.map(({ canary }) => canary))).toEqual(new Set(["files", "state", "environment"]));
  });

  it("has files of its own full of them, of every kind that it names", () => {
    const { args, texts } = plant(profile);
    const full = filesIn(dirname(args.imageLock)).filter((file) => readFileSync(file, "utf8") === texts.files);
    const names = full.map((file) => relative(dirname(args.imageLock), file)).sort();
    expect(names).toEqual([...OF_HOME, ...FILES[profile]].sort());
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
