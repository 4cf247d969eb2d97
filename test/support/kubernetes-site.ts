import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";
import { TestTransit } from "../../custody/backends/contract/test-transit.ts";
import type { Deployment } from "../../model/deployment.ts";
import { buildModel } from "../../modules/index.ts";
import { describeImage } from "../../operations/images/build/archive.ts";
import { layersOf } from "../../operations/images/build/contents.ts";
import { type Layer, writeLayer } from "../../operations/images/build/layer.ts";
import { KNOWN_IMAGES } from "../../operations/images/known-images.ts";
import { LOCK_FILE, renderImageLock } from "../../operations/images/lock-file.ts";
import { imageNamesOf, referenceOf } from "../../operations/images/lock-images.ts";
import { defaultCacheDir } from "../../operations/tools/context.ts";
import packageJson from "../../package.json" with { type: "json" };
import { parseDeploymentYaml } from "../../profiles/parse.ts";
import { kubernetesPlacement } from "../../stacks/kubernetes/placement.ts";
import { SOFTHSM, SoftToken } from "../integration/signers/soft-token.ts";
import { dnsAnswers } from "./cluster/answers.ts";
import { importImages } from "./cluster/images.ts";
import type { Cluster } from "./cluster/up.ts";
import { PROJECT } from "./deployment.ts";
import { CLI } from "./docker.ts";
import { type Ended, runProgram } from "./run.ts";
import { TestKms } from "./test-kms.ts";

interface CallOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutSeconds?: number;
}

/** A deployment of profile customer-tenant for a cluster of the tests: its folder, and what stands for servers of the customer. */
export class KubernetesSite {
  readonly folder: string;
  readonly file: string;
  readonly cluster: Cluster;
  readonly transit = new TestTransit();
  readonly kms = new TestKms();
  readonly soft = new SoftToken();
  #keys: Readonly<Record<string, string>> = {};
  #deployment: Deployment | undefined;

  constructor(folder: string, cluster: Cluster) {
    this.folder = folder;
    this.file = join(folder, "trustkern.yaml");
    this.cluster = cluster;
  }

  get deployment(): Deployment {
    if (this.#deployment === undefined) throw new TypeError("not prepared yet");
    return this.#deployment;
  }

  /**
   * Writes the deployment file, gives the cluster its images by their digests, and holds the ceremony.
   * @param changes members of the file in the place of the usual ones
   */
  async prepare(changes: (file: Record<string, unknown>) => object = (file) => file): Promise<void> {
    const { host } = this.cluster.addresses;
    await Promise.all([this.transit.start(host), this.kms.start(host)]);
    const hosts = JSON.stringify({ data: { hosts: `${host} ${this.kms.name}\n` } });
    await this.cluster.kubectl(["patch", "configmap", "coredns", "-n", "kube-system", "--type=merge", "-p", hosts]);
    // The node looks for a changed ConfigMap by and by; a resolver that says no meanwhile has pods start again and again.
    for (
      const end = Date.now() + 120_000;
      !(await dnsAnswers(this.cluster.addresses.dns, this.kms.name, host));
      await sleep(500)
    ) {
      if (Date.now() > end) throw new Error(`the cluster does not find ${this.kms.name}`);
    }
    for (const name of ["services", "gateways", "operators"]) {
      this.#keys = { ...this.#keys, [name]: await this.kms.key() };
    }
    this.soft.make("tk-root");
    this.write(changes);
    await this.giveImages();
    for (const authority of ["gateways-ca", "operators-ca"]) {
      const folder = join(this.folder, ".trustkern", "secrets", authority);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileSync(join(folder, "aws.credentials"), this.kms.credentials, { mode: 0o600 });
    }
    await this.must(["certs", "init", "--conductor", "Ada", "--witnesses", "Grace"]);
  }

  /** Writes the deployment file anew. */
  write(changes: (file: Record<string, unknown>) => object): void {
    const text = JSON.stringify(changes(this.#usual()));
    writeFileSync(this.file, text);
    this.#deployment = parseDeploymentYaml(text, this.file);
  }

  /** Runs the command line on it. */
  cli(args: readonly string[], { env = {}, timeoutSeconds = 400 }: CallOptions = {}): Promise<Ended> {
    return runProgram(process.execPath, [...CLI, "-f", this.file, "--progress", "plain", ...args], {
      env: { KUBECONFIG: this.cluster.kubeconfig, ...env },
      timeoutSeconds,
    });
  }

  /** The same, and fails with what it said when it does not end with exit code 0. */
  async must(args: readonly string[]): Promise<Ended> {
    const ended = await this.cli(args);
    if (ended.code !== 0) throw new Error(`${args.join(" ")} ended with ${ended.code}: ${ended.stderr}${ended.stdout}`);
    return ended;
  }

  async stop(): Promise<void> {
    await this.kms.stop();
    this.transit.stop();
    this.soft.remove();
  }

  /** The example's file with what its README says to change, and stand-ins for servers of the customer. */
  #usual(): Record<string, unknown> {
    const { address, mount, key, tokenFile, caFile } = this.transit.key();
    const { hostname, port } = new URL(address);
    const file = parse(readFileSync(join(PROJECT, "examples", "customer-tenant", "trustkern.yaml"), "utf8"));
    const addresses = [`${hostname}/32`];
    const vault = { host: hostname, port: Number(port), protocol: "tcp", purpose: "keys" };
    const root = { kind: "pkcs11", module: SOFTHSM, token: "tk-root", pinFile: this.soft.pinFile };
    return {
      ...file,
      images: { ...file.images, foreign: "built", grafana: "absent" },
      egress: { ...file.egress, allow: [...file.egress.allow, vault] },
      pki: { root, issuing: { ...file.pki.issuing, keys: this.#keys } },
      // The SDK in custody's image trusts the authorities that it came with: it cannot be told another name's.
      custody: {
        ...{
          kind: "vault",
          address,
          mount,
          key,
          tokenFile,
          caFile,
          owner: "customer",
          schedule: file.custody.schedule,
        },
        ...{ class: "software", acceptSoftware: "a stand-in for the server in a test" },
      },
      kubernetes: {
        ...file.kubernetes,
        ...{ storageClass: "local", databaseSize: "1GiB", keys: { addresses }, issuingKeys: { addresses } },
        custody: { replicas: 2 },
      },
    };
  }

  /**
   * Makes the images, and writes the lock with the digests that the cluster has them by.
   * @param version another one gives the same files other digests
   */
  async giveImages(version = packageJson.version): Promise<void> {
    const { node } = this.cluster;
    const names = imageNamesOf(buildModel(this.deployment, kubernetesPlacement(this.deployment)));
    const context = {
      cacheDir: defaultCacheDir(process.env, homedir()),
      projectDir: PROJECT,
      toolsDir: join(PROJECT, "tools"),
      env: process.env,
      signal: new AbortController().signal,
      refresh: false,
      onProgress: () => undefined,
    };
    const built = [];
    for (const name of names) {
      const { contents, command } = KNOWN_IMAGES[name] ?? { command: [] };
      if (contents === undefined) throw new Error(`the image "${name}" cannot be made here`);
      const reference = referenceOf(this.deployment.images, name, packageJson.version);
      const layers = [
        ...(await layersOf(context, contents)),
        ...(name === "step-ca" ? [await this.#trustLayer()] : []),
      ];
      built.push(describeImage({ name, reference, version, command, layers }));
    }
    await importImages(node, built);
    const ctr = ["ctr", "--namespace", "k8s.io", "images"];
    const listed = (await node.must([...ctr, "list"])).split("\n").map((line) => line.split(/\s+/));
    const images: Record<string, { reference: string; digest: string }> = {};
    for (const [index, name] of names.entries()) {
      const { reference = "" } = built[index] ?? {};
      const [, , digest = ""] = listed.find(([ref]) => ref === reference) ?? [];
      images[name] = { reference, digest };
      // As a node has it that has pulled it by its digest.
      const repository = reference.slice(0, reference.lastIndexOf(":"));
      await node.must([...ctr, "tag", "--force", reference, `${repository}@${digest}`]);
    }
    writeFileSync(join(this.folder, LOCK_FILE), renderImageLock({ source: "registry", images }));
  }

  /** What an image has that trusts the KMS of the test and nobody else. */
  async #trustLayer(): Promise<Layer> {
    const file = join(this.folder, "trust.tar");
    const content = readFileSync(this.kms.certFile);
    const diffId = await writeLayer(new Map([["etc/ssl/certs/ca-certificates.crt", { kind: "file", content }]]), file);
    return { file, diffId };
  }
}
