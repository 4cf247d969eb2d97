import { generateKeyPairSync, randomBytes } from "node:crypto";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { homedir, tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { type DeploymentCertificates, issueDeploymentCertificates } from "../../../certs/deployment.ts";
import type { Component } from "../../../model/component.ts";
import { serverName } from "../../../model/placement.ts";
import { buildImages } from "../../../operations/images/build/build-images.ts";
import { defaultCacheDir } from "../../../operations/tools/context.ts";
import packageJson from "../../../package.json" with { type: "json" };
import { createDockerCli, type DockerCli, dockerOutput } from "../../../stacks/host/docker-cli.ts";

const PROJECT = fileURLToPath(new URL("../../../", import.meta.url));
/** Who runs in the containers: nobody that an image knows. */
const USER = process.getuid?.() === 0 ? { uid: 23_456, gid: 23_457 } : userInfo();

/** What a request is made with; without a name, without a certificate. */
export interface Asked {
  readonly as?: string;
  readonly method?: string;
  readonly maxVersion?: "TLSv1.2";
}

/** Containers of single components, hardened as a deployment's are, on one network. */
export class ContainerStack {
  readonly folder = mkdtempSync(join(tmpdir(), "tk-obs-"));
  readonly docker: DockerCli = createDockerCli(process.env);
  readonly prefix = `observability-${randomBytes(3).toString("hex")}`;
  readonly #tenant: string;
  readonly #containers = new Set<string>();
  #images = new Map<string, string>();
  #pki: DeploymentCertificates | undefined;

  constructor(tenant: string) {
    this.#tenant = tenant;
    chmodSync(this.folder, 0o711);
  }

  /** Makes images, certificates and the network. */
  async prepare(images: readonly string[], services: readonly string[], gateways: readonly string[]): Promise<void> {
    const { docker } = this;
    const context = {
      cacheDir: defaultCacheDir(process.env, homedir()),
      projectDir: PROJECT,
      toolsDir: join(PROJECT, "tools"),
      env: process.env,
      refresh: false,
      signal: new AbortController().signal,
      onProgress: () => undefined,
    };
    const made = await buildImages({ ...context, docker }, images, packageJson.version);
    this.#images = new Map(made.map(({ name, id }) => [name, id ?? ""]));
    this.#pki = await issueDeploymentCertificates({
      tenant: this.#tenant,
      clock: () => new Date(),
      services: services.map((name) => ({ name: `svc-${name}` })),
      gateways,
      operators: [],
    });
    await dockerOutput(docker, ["network", "create", this.prefix]);
  }

  /** PEM texts of a certificate, by its common name. */
  leaf(name: string): { readonly ca: string; readonly cert: string; readonly key: string } {
    const leaf = this.#pki?.leaves.find((each) => each.name === name);
    if (!this.#pki || !leaf) throw new Error(`no certificate of ${name}`);
    return { ca: this.#pki.root.certPem, cert: leaf.certPem, key: leaf.keyPem };
  }

  /** Image id of one of the images that were asked for. */
  image(name: string): string {
    return this.#images.get(name) ?? "";
  }

  /** Where a socket of a component is on this machine. */
  socket(component: string, socket: string): string {
    return join(this.folder, "run", `${component}.${socket}`, "sock");
  }

  /** Starts a component in a container; `logOptions` are those of `docker run`. */
  async start(component: Component, logOptions: readonly string[] = []): Promise<void> {
    const { name, limits, command = [""] } = component;
    const [program, ...args] = command;
    const container = this.#name(name);
    this.#containers.add(container);
    const hardened = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"];
    const limited = [`--memory=${limits.memoryMiB}m`, `--pids-limit=${limits.pids}`, `--cpus=${limits.cpus}`];
    const network = [`--network=${this.prefix}`, `--network-alias=${serverName(name, this.#tenant)}`];
    const mounts = this.#mounts(component).flatMap((mount) => ["--mount", mount]);
    const image = this.image(component.image ?? "");
    await dockerOutput(this.docker, [
      ...["run", "--detach", "--name", container, "--user", `${USER.uid}:${USER.gid}`, "--entrypoint", program],
      ...[...hardened, ...limited, ...network, ...mounts, ...logOptions, image, ...args],
    ]);
  }

  /** `docker <verb> <container of the component>`. */
  async control(verb: "kill" | "start" | "stop", component: string): Promise<void> {
    await dockerOutput(this.docker, [verb, this.#name(component)]);
  }

  /** Exit code and output of a program in a component's container. */
  exec(component: string, command: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    return this.docker(["exec", this.#name(component), ...command]);
  }

  /** What `docker inspect` says by a template. */
  async inspect(component: string, template: string): Promise<string> {
    return (await dockerOutput(this.docker, ["inspect", "--format", template, this.#name(component)])).trim();
  }

  /** What a component has written. */
  async log(component: string): Promise<string> {
    const { stdout, stderr } = await this.docker(["logs", this.#name(component)]);
    return stdout + stderr;
  }

  /** Asks a component over HTTPS at its address on the network. */
  async ask(component: string, port: number, path: string, { as, ...options }: Asked = {}): Promise<Answer> {
    const host = await this.inspect(component, "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}");
    const { ca, ...own } = this.leaf(as ?? "svc-grafana");
    const servername = serverName(component, this.#tenant);
    return new Promise((resolve, reject) => {
      request({ host, port, servername, path, agent: false, ca, ...(as ? own : {}), ...options })
        .on("error", reject)
        .on("response", (response) => {
          text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
        })
        .end();
    });
  }

  /** Ends everything that was started, and removes the folder with all keys. */
  async remove(): Promise<void> {
    for (const container of this.#containers) await this.docker(["rm", "--force", "--volumes", container]);
    await this.docker(["network", "rm", this.prefix]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #name(component: string): string {
    return `${this.prefix}-${component}`;
  }

  #mounts({ name, files, secrets, volumes, sockets, identity }: Component): readonly string[] {
    const bind = (source: string, target: string, access = ",readonly"): string =>
      `type=bind,source=${source},target=${target}${access}`;
    const folder = (...parts: readonly string[]): string => {
      const path = join(this.folder, ...parts);
      mkdirSync(path, { recursive: true });
      chownSync(path, USER.uid, USER.gid);
      return path;
    };
    const written = (path: string, content: string): string => {
      writeFileSync(path, content, { mode: 0o600 });
      chownSync(path, USER.uid, USER.gid);
      return path;
    };
    const inFolder = (kind: string, target: string, content: string): string =>
      bind(written(join(folder(kind, name), target.replaceAll("/", "_")), content), target);
    return [
      ...files.map(({ path, content }) => inFolder("config", path, content)),
      ...secrets.map(({ name: secret, file }) => inFolder("secrets", file, this.#secret(secret, identity ?? ""))),
      ...volumes.map(({ name: volume, path }) => bind(folder("volumes", name, volume), path, "")),
      ...sockets.map((socket) => bind(folder("run", `${name}.${socket.name}`), dirname(socket.path), "")),
    ];
  }

  #secret(name: string, identity: string): string {
    const signing = generateKeyPairSync("ec", { namedCurve: "P-256" });
    switch (name) {
      case "ca.crt":
        return this.leaf(identity).ca;
      case "tls.crt":
        return this.leaf(identity).cert;
      case "tls.key":
        return this.leaf(identity).key;
      case "metrics.crt":
        return this.leaf(`svc-${identity}`).cert;
      case "metrics.key":
        return this.leaf(`svc-${identity}`).key;
      case "signing.key":
        return signing.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
      case "network.key":
        return randomBytes(16).toString("hex");
      case "services.crt":
        return this.#pki?.intermediates.services.certPem ?? "";
      case "broker.pins":
        return "00".repeat(32);
      case "token":
        return `gw_${randomBytes(40).toString("base64url")}`;
      case "backend.pub":
        return signing.publicKey.export({ type: "spki", format: "der" }).subarray(-65).toString("hex");
      default:
        throw new Error(`no secret ${name}`);
    }
  }
}

/** An HTTPS answer. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}
