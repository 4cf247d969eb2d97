import { renderFindings } from "../../model/findings.ts";
import { nearest } from "../../profiles/nearest.ts";
import type { DeploymentInput } from "../../profiles/schema.ts";
import type { Finding } from "../../shared/finding.ts";
import { isAttributes } from "../docker/check/subject.ts";
import type { RunAs } from "../docker/containers.ts";
import { pulumiErrors } from "./errors.ts";
import { plainCopy } from "./plain.ts";
import type { Transform } from "./transform.ts";

/** What a deployment is made of. Everything is known when the program runs: an Output cannot be checked, and is refused. */
interface CommonArgs {
  /**
   * File that `trustkern images lock` wrote.
   * @default `images.lock.yaml` in the folder of the Pulumi project
   */
  readonly imageLock?: string;
  /** Looks at each object before it is registered. @default every object as it is planned */
  readonly transform?: Transform;
}

/** A deployment on the docker engine. */
export interface DockerDeploymentArgs extends CommonArgs {
  /** What a `trustkern.yaml` would say, and is held to the same: its profile, the form, and what contradicts itself. */
  readonly deployment: DeploymentInput;
  /** State directory on the host that the containers run on, where their secrets, files and volumes are. */
  readonly dir: string;
  /**
   * Who owns what containers mount, and who runs in them.
   * @default who runs the program; 10001:10001 where that is root
   */
  readonly runAs?: RunAs;
}

/** A deployment on Kubernetes, whose files are in its volumes and Secrets, and who runs in its pods is settled. */
export interface KubernetesDeploymentArgs extends CommonArgs {
  /** What a `trustkern.yaml` would say, with `engine: kubernetes`, and is held to the same. */
  readonly deployment: DeploymentInput & { readonly engine: "kubernetes" };
  /** Of a host, and so of the docker engine alone. */
  readonly dir?: never;
  /** Of a host, and so of the docker engine alone. */
  readonly runAs?: never;
}

/** What a deployment is made of, on either engine. */
export type TrustKernDeploymentArgs = DockerDeploymentArgs | KubernetesDeploymentArgs;

/** The arguments once they have been looked at. */
export interface CheckedArgs {
  /** Plain data that nothing else is known of. */
  readonly deployment: unknown;
  /** Empty with Kubernetes. */
  readonly dir: string;
  readonly imageLock: string | undefined;
  readonly runAs: RunAs | undefined;
  readonly transform: Transform | undefined;
}

/** What is about a host, and has no meaning in a cluster. */
const OF_A_HOST = ["dir", "runAs"] as const;
const NAMES = ["deployment", "dir", "imageLock", "runAs", "transform"] as const;
const UID_MAX = 2 ** 31 - 1;

/**
 * The arguments of a deployment, from whatever a program says.
 * @throws PULUMI_ARGUMENTS with every mistake
 */
export function parseArgs(args: unknown): CheckedArgs {
  const said = typeof args === "object" && args !== null ? args : {};
  const { transform, ...data } = said as { readonly transform?: unknown };
  const { value, findings } = plainCopy(data, "");
  const { deployment, dir, imageLock, runAs } = (value ?? {}) as Readonly<Record<string, unknown>>;
  const unread = new Set(findings.map(({ path }) => path.split(/[.[]/)[0]));
  const onHost = !isAttributes(deployment) || deployment.engine !== "kubernetes";
  const text = (each: unknown): boolean => typeof each === "string" && each !== "";
  const wrong = [
    ...findings,
    ...Object.keys(data).flatMap(unknownName),
    ...(deployment === undefined && !unread.has("deployment") ? [missing("deployment")] : []),
    ...(onHost ? [] : OF_A_HOST.filter((name) => name in data).map(meaningless)),
    ...(onHost && dir === undefined && !unread.has("dir") ? [missing("dir")] : []),
    ...(!onHost || dir === undefined || text(dir) ? [] : [misfit("dir", "the path of a folder")]),
    ...(imageLock === undefined || text(imageLock) ? [] : [misfit("imageLock", "the path of a file")]),
    ...(!onHost || runAs === undefined || isRunAs(runAs) ? [] : [misfit("runAs", `uid and gid, each 1 to ${UID_MAX}`)]),
    ...(transform === undefined || typeof transform === "function" ? [] : [misfit("transform", "a function")]),
  ];
  if (wrong.length > 0) {
    const message = renderFindings("the arguments of TrustKernDeployment", wrong);
    throw pulumiErrors.error("PULUMI_ARGUMENTS", message, { path: wrong[0]?.path, cause: wrong });
  }
  return { deployment, dir: dir ?? "", imageLock, runAs, transform } as CheckedArgs;
}

function unknownName(name: string): readonly Finding[] {
  if (NAMES.some((known) => known === name)) return [];
  const meant = nearest(name, NAMES);
  const { fix } = pulumiErrors.entries.PULUMI_ARGUMENT_UNKNOWN;
  const message = `is no argument; accepted: ${NAMES.join(", ")}`;
  return [
    {
      ...{ code: "PULUMI_ARGUMENT_UNKNOWN", path: name, message },
      fix: meant === undefined ? fix : `did you mean ${meant}?`,
    },
  ];
}

function missing(path: string): Finding {
  const { fix } = pulumiErrors.entries.PULUMI_ARGUMENT_MISSING;
  return { code: "PULUMI_ARGUMENT_MISSING", path, message: "is missing", fix };
}

function meaningless(path: string): Finding {
  const message = "has no meaning with engine: kubernetes";
  return { code: "PULUMI_ARGUMENT_VALUE", path, message, fix: "leave it out, or say engine: docker in deployment" };
}

// What it is stands in no message: it could be anything.
function misfit(path: string, accepted: string): Finding {
  const { fix } = pulumiErrors.entries.PULUMI_ARGUMENT_VALUE;
  return { code: "PULUMI_ARGUMENT_VALUE", path, message: `accepted: ${accepted}`, fix };
}

function isRunAs(value: unknown): value is RunAs {
  if (typeof value !== "object" || value === null || Object.keys(value).length !== 2) return false;
  const { uid, gid } = value as Partial<RunAs>;
  const valid = (id: unknown): boolean => Number.isInteger(id) && Number(id) > 0 && Number(id) <= UID_MAX;
  return valid(uid) && valid(gid);
}
