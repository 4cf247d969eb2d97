import { lstatSync } from "node:fs";
import type { Deployment } from "../../../model/deployment.ts";
import { renderFindings } from "../../../model/findings.ts";
import { buildModel } from "../../../modules/index.ts";
import { TrustKernError } from "../../../shared/errors.ts";
import type { Finding } from "../../../shared/finding.ts";
import type { RunAs } from "../../../stacks/docker/containers.ts";
import { stateLabelOf } from "../../../stacks/docker/labels.ts";
import { decryptionKeys, hostKeyFindings, issuingKeys } from "../../../stacks/docker/life/host-keys.ts";
import { assertNamesFree } from "../../../stacks/docker/life/names-free.ts";
import { dockerPlacement } from "../../../stacks/docker/placement.ts";
import type { DockerCli } from "../../../stacks/host/docker-cli.ts";
import { judgeDocker } from "../../doctor/checks/docker.ts";
import { gatherPorts, judgePorts } from "../../doctor/checks/ports.ts";
import { type DockerFacts, gatherDocker } from "../../doctor/docker-facts.ts";
import type { DoctorFinding } from "../../doctor/finding.ts";
import type { Machine } from "../../doctor/machine.ts";
import { nearestExisting } from "../../doctor/nearest-existing.ts";
import { dockerEngine } from "../engine/docker-engine.ts";
import type { Manifest } from "../format/manifest.ts";
import { siteErrors } from "../install/errors.ts";
import type { Plan } from "../install/plan.ts";
import type { Site } from "../install/site.ts";
import type { Runtime } from "../toolkit/layout.ts";
import { engineRoom, judgeEngineRoom } from "./engine-room.ts";
import { judgeRoom, type Room, roomFor } from "./room.ts";

/** What {@link assertFit} looks at. */
export interface PreflightSubject {
  readonly site: Site;
  readonly plan: Plan;
  readonly manifest: Manifest;
  /** Layers that the runtime of the bundle's toolkit is taken from. */
  readonly runtime: Runtime["layers"];
  /** Folder of the toolkit that runs, whose files a version links; undefined for a clone. */
  readonly ownToolkit: string | undefined;
  /** What the bundle deploys; undefined where this toolkit cannot read it, since the bundle's own will. */
  readonly deployment: Deployment | undefined;
  readonly machine: Machine;
  readonly docker: DockerCli;
  /** Who would run the containers. */
  readonly runAs: RunAs;
  readonly now: () => Date;
  /** Hears what is worth knowing and keeps nothing from going on. */
  readonly onWarning: (what: string) => void;
}

/**
 * Holds, before anything is touched, that this machine can take a bundle: engine, ports, keys of the host, one disk with room, and room on the engine's. These are the
 * doctor's own checks, of what the bundle deploys.
 * @throws BUNDLE_PREFLIGHT with every finding
 */
export async function assertFit(subject: PreflightSubject): Promise<void> {
  const { site, plan, manifest, runtime, ownToolkit, machine, onWarning } = subject;
  const engine = await gatherDocker(subject.docker, subject.now);
  const doctor = await examined(subject, engine);
  const room = roomFor(plan, site, manifest, runtime, ownToolkit);
  for (const { message } of doctor.filter(({ level }) => level === "warning")) onWarning(message);
  const keys = await keysOf(subject);
  // What serves a token is started with the toolkit that a first install brings; its deploy asks again, and nothing runs that could be stopped.
  const first = plan.from === undefined;
  if (first) for (const { message, fix } of keys) onWarning(`${message}; before its deploy: ${fix}`);
  const findings = [
    ...doctor.filter(({ level }) => level === "problem").map(asFinding),
    ...(first ? [] : keys),
    ...(await namesOf(subject)),
    ...splitFindings(site),
    ...judgeRoom(room, freeOn(machine, site.dir), site.dir),
    ...(await engineFindings(subject, engine, room)),
  ];
  if (findings.length === 0) return;
  throw siteErrors.error("BUNDLE_PREFLIGHT", renderFindings("this machine cannot take the bundle", findings), {
    path: findings[0]?.path,
    cause: findings,
  });
}

async function examined(
  { site, deployment, machine, docker }: PreflightSubject,
  facts: DockerFacts,
): Promise<readonly DoctorFinding[]> {
  const needs = { docker: true, builds: false, promises: deployment?.profile !== "dev" };
  const engine = judgeDocker(facts, needs);
  if (deployment === undefined) return engine;
  const deployed = { deployment, model: buildModel(deployment, dockerPlacement(deployment)) };
  return [...engine, ...judgePorts(await gatherPorts(deployed, machine, docker), stateLabelOf(site.stateDir))];
}

async function keysOf({ deployment, machine, runAs }: PreflightSubject): Promise<readonly Finding[]> {
  if (deployment === undefined) return [];
  const places = [decryptionKeys(deployment), issuingKeys(deployment)];
  return (await Promise.all(places.map((place) => hostKeyFindings(place, runAs, machine.lookAt)))).flat();
}

/** A container of somebody else with a component's name would end the deploy, after what runs has stopped. */
async function namesOf({ deployment, docker, site }: PreflightSubject): Promise<readonly Finding[]> {
  if (deployment === undefined) return [];
  const { components } = buildModel(deployment, dockerPlacement(deployment));
  try {
    await assertNamesFree({ docker }, { layout: { dir: site.stateDir }, plan: { containers: components } });
    return [];
  } catch (thrown) {
    // Of an engine that does not answer the doctor has said so.
    if (!(thrown instanceof TrustKernError)) throw thrown;
    const { code, path = "docker", message, fix = "" } = thrown;
    return code === "NAME_TAKEN" ? [{ code, path, message, fix }] : [];
  }
}

function asFinding({ check, code, message, fix }: DoctorFinding): Finding {
  return { code: code ?? "BUNDLE_PREFLIGHT", path: check, message, fix: fix ?? "run `trustkern doctor`" };
}

/** A folder that is a file system of its own is replaced by no rename. */
function splitFindings({ dir, stagingDir, versionsDir, stateDir, backupDir }: Site): readonly Finding[] {
  const own = lstatSync(dir, { throwIfNoEntry: false })?.dev;
  return [stagingDir, versionsDir, stateDir, backupDir]
    .filter((folder) => (lstatSync(folder, { throwIfNoEntry: false })?.dev ?? own) !== own)
    .map((folder) => ({
      code: "BUNDLE_SITE_SPLIT",
      path: folder,
      message: `it lies on another file system than "${dir}"`,
      fix: siteErrors.entries.BUNDLE_SITE_SPLIT.fix,
    }));
}

/** None where the engine does not answer, which the doctor's checks say. */
async function engineFindings(
  { site, plan, manifest, machine, docker }: PreflightSubject,
  facts: DockerFacts,
  { files, copy }: Room,
): Promise<readonly Finding[]> {
  if (facts.state !== "up" || !plan.steps.includes("load")) return [];
  const [folder, siteFolder] = [facts.rootDir, nearestExisting(machine, site.dir)];
  const device = machine.deviceOf(folder);
  const siteBytes = device !== undefined && device === machine.deviceOf(siteFolder) ? files + copy : 0;
  const bytes = engineRoom(manifest, await dockerEngine(docker).look());
  return judgeEngineRoom(bytes, { folder, freeBytes: machine.diskSpace(folder)?.freeBytes, siteBytes });
}

function freeOn(machine: Machine, folder: string): number | undefined {
  return machine.diskSpace(nearestExisting(machine, folder))?.freeBytes;
}
