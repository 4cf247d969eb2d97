import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { id_ce_nameConstraints } from "@peculiar/asn1-x509";
import { z } from "zod";
import { LEAF_CLASSES, type LeafClass } from "../../../../certs/names.ts";
import { x509 } from "../../../../certs/x509.ts";
import type { DataClass } from "../../../../model/zones.ts";
import { messageOf } from "../../../../shared/errors.ts";
import { byDigest, type ImagePin, type ImagePins } from "../../../../stacks/docker/images.ts";
import type { Observed } from "../../../../stacks/docker/life/health.ts";
import type { DockerCli } from "../../../../stacks/host/docker-cli.ts";
import { statusOf } from "../../../../stacks/host/readiness.ts";
import { trustFiles } from "../../../../stacks/host/trust/place.ts";
import { encryptionOfPath } from "../../../doctor/hardening/block-device.ts";
import type { Answered, CustodySeen, ImageFacts, Observation } from "../observation.ts";
import type { RunningSubject } from "../subject.ts";

const texts = z.array(z.string()).nullish();
const imageSchema = z.tuple([
  z.object({
    Id: z.string(),
    Config: z.object({ Env: texts, Entrypoint: texts, Cmd: texts, WorkingDir: z.string().nullish() }),
  }),
]);

/**
 * What the images of the lock are, as the engine has them.
 * @throws what {@link DockerCli} throws
 */
export async function imageFacts(docker: DockerCli, { source, images }: ImagePins): Promise<Observation["images"]> {
  const facts = Object.entries(images).map(async ([name, pin]) => [name, await factsOf(docker, source, pin)] as const);
  return new Map(await Promise.all(facts));
}

async function factsOf(docker: DockerCli, source: ImagePins["source"], pin: ImagePin): Promise<Answered<ImageFacts>> {
  const { reference, digest } = pin;
  if (digest === undefined) return { why: `no lock says which bytes ${reference} is` };
  const name = source === "registry" ? byDigest({ reference, digest }) : digest;
  const { code, stdout } = await docker(["image", "inspect", "--", name]);
  if (code !== 0) return { why: `the engine has no ${name}` };
  const [{ Id, Config }] = imageSchema.parse(JSON.parse(stdout));
  const { Env, Entrypoint, Cmd, WorkingDir } = Config;
  const command = { entrypoint: Entrypoint ?? [], command: Cmd ?? [], folder: WorkingDir ?? "" };
  return { answer: { id: Id, environment: Env ?? [], ...command } };
}

const custodyAnswer = z.object({
  sealed: z.boolean(),
  store: z.object({ kind: z.string(), custodyClass: z.string() }).optional(),
});

/** What custody says of itself at its control socket. */
export async function askCustody(socket: string): Promise<CustodySeen> {
  const said = custodyAnswer.safeParse(await statusOf(socket).catch(() => undefined)).data;
  return {
    sealed: said?.sealed ?? null,
    kind: said?.store?.kind ?? null,
    custodyClass: said?.store?.custodyClass ?? null,
  };
}

/**
 * The mounts of each container's first process, where this program may read them and the process is the container's: behind a
 * DOCKER_HOST elsewhere the number is somebody else's.
 */
export function mountTables(components: ReadonlyMap<string, Observed>): ReadonlyMap<string, string> {
  const tables = [...components].flatMap(([name, { container }]) => {
    if (container === undefined || container.State.Pid === 0) return [];
    try {
      const folder = `/proc/${container.State.Pid}`;
      if (!readFileSync(join(folder, "cgroup"), "utf8").includes(container.Id)) return [];
      return [[name, readFileSync(join(folder, "mountinfo"), "utf8")] as const];
    } catch {
      return [];
    }
  });
  return new Map(tables);
}

/** Whoever holds one of these keeps it in its volume. */
export const KEPT: readonly DataClass[] = ["plaintext", "decryption-key", "signing-key"];

/**
 * What lies below each volume with plaintext or keys in it, and below the folders of the host with secrets, authorities and the keys
 * that sign. A gateway keeps the key of its identity in its volume.
 */
export function volumeFacts({
  rendered,
  machine,
}: Pick<RunningSubject, "rendered" | "machine">): Observation["volumes"] {
  const { layout, model } = rendered;
  const keeping = model.components.filter(
    ({ zone, holds }) => zone === "edge" || KEPT.some((kept) => holds.includes(kept)),
  );
  const volumes = keeping.flatMap(({ name, volumes }) =>
    volumes.map((volume) => ({ component: name, path: join(layout.volumesDir, name, volume.name) })),
  );
  const folders = [layout.secretsDir, layout.authoritiesDir, trustFiles(layout).folder]
    .filter((path) => machine.realPath(path) !== undefined)
    .map((path) => ({ component: null, path }));
  return [...volumes, ...folders].map((place) => ({ ...place, encryption: encryptionOfPath(machine, place.path) }));
}

/** The certificates of the deployment's roots, PEM: of one that is being replaced there are two. */
export function rootsOf(authoritiesDir: string): Answered<string> {
  try {
    const files = readdirSync(authoritiesDir).filter((name) => /^root(?:\.[a-z]+)?\.crt$/.test(name));
    if (files.length === 0) return { why: "the root's certificate is not on this host" };
    return { answer: files.map((name) => readFileSync(join(authoritiesDir, name), "utf8")).join("\n") };
  } catch (thrown) {
    return { why: `the root's certificate cannot be read: ${messageOf(thrown)}` };
  }
}

/** What each issuing authority of the deployment may name, by its certificate. */
export function constraintsOf(authoritiesDir: string): Observation["constraints"] {
  try {
    const of = (leafClass: LeafClass): string => {
      const certificate = new x509.X509Certificate(readFileSync(join(authoritiesDir, `${leafClass}.crt`), "utf8"));
      const extension = certificate.getExtension(id_ce_nameConstraints);
      return extension === null ? "" : Buffer.from(extension.value).toString("hex");
    };
    return { answer: new Map(LEAF_CLASSES.map((leafClass) => [leafClass, of(leafClass)])) };
  } catch (thrown) {
    return { why: `the certificates of the authorities cannot be read: ${messageOf(thrown)}` };
  }
}
