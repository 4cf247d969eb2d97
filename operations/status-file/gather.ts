import type { InventoryRow } from "../../certs/inventory.ts";
import { GENERATION_STATES } from "../../custody/generation.ts";
import { CUSTODY_CLASSES } from "../../model/custody.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Zone } from "../../model/zones.ts";
import { TrustKernError } from "../../shared/errors.ts";
import type { CustodyStatus, StatusReport } from "../../stacks/docker/life/status.ts";
import type { DiskSpace } from "../doctor/machine.ts";
import type { StatusFacts } from "./build.ts";
import { type ASKED, DISKS, name, type StatusFile, toShare, version } from "./schema.ts";

/** What a status file is gathered from. What asks something that may be away is a function, and may throw. */
export interface StatusSubject {
  readonly deployment: Pick<Deployment, "name" | "tenant" | "profile" | "images">;
  /** Every component of the model, with the digest of its image, `sha256:…`. */
  readonly components: readonly {
    readonly name: string;
    readonly zone: Zone;
    readonly image: string | undefined;
  }[];
  readonly versions: Pick<StatusFile["versions"], "toolkit" | "node" | "bundle" | "stack">;
  readonly status: () => Promise<Pick<StatusReport, "components">>;
  /** Never throws. */
  readonly custody: () => Promise<CustodyStatus>;
  readonly terraform: () => Promise<string>;
  readonly dockerEngine: () => Promise<string>;
  readonly keys: () => Promise<{ readonly generations: readonly { readonly keyId: string; readonly state: string }[] }>;
  readonly certificates: () => Promise<readonly InventoryRow[]>;
  /** Undefined where there is no telling. */
  readonly disk: (what: (typeof DISKS)[number]) => Promise<DiskSpace | undefined>;
}

/**
 * What a status file says. It takes from everything that it looks at no more than its form has room for: names of components, digests, versions, states,
 * shares. What does not answer is left open, and named in `unknown` with its error's code.
 */
export async function gatherStatus(subject: StatusSubject): Promise<StatusFacts> {
  const unknown = new Map<(typeof ASKED)[number], string>();
  const asked = async <T>(fact: (typeof ASKED)[number], ask: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await ask();
    } catch (thrown) {
      if (!(thrown instanceof TrustKernError)) throw thrown;
      unknown.set(fact, thrown.code);
      return undefined;
    }
  };
  const { deployment, versions } = subject;
  const report = await asked("docker", subject.status);
  const dockerEngine = await asked("docker", subject.dockerEngine);
  const terraform = await asked("terraform", subject.terraform);
  const keys = await asked("keys", subject.keys);
  const certificates = await asked("certificates", subject.certificates);
  const { kind, custodyClass, sealed } = await subject.custody();
  return {
    deployment: deployment.name,
    tenant: deployment.tenant,
    profile: deployment.profile,
    engine: "docker",
    versions: { ...versions, dockerEngine: versionOf(dockerEngine), terraform: versionOf(terraform) },
    components: subject.components.map((component) =>
      componentOf(component, unknown.has("docker") ? undefined : report),
    ),
    absent: deployment.images.grafana === "absent" ? ["grafana"] : [],
    custody: { kind, custodyClass: CUSTODY_CLASSES.find((each) => each === custodyClass) ?? null, sealed },
    keys: (keys?.generations ?? []).flatMap(({ keyId, state }) => {
      const known = GENERATION_STATES.find((each) => each === state);
      return known === undefined ? [] : [{ keyId, state: known }];
    }),
    certificates: (certificates ?? []).map(certificateOf),
    disks: await Promise.all(
      DISKS.map(async (what) => {
        const space = await subject.disk(what);
        return { what, freeShare: space === undefined ? null : toShare(space.freeBytes / space.totalBytes) };
      }),
    ),
    unknown: [...unknown].map(([fact, code]) => ({ fact, code })),
  };
}

function componentOf(
  { name: of, zone, image }: StatusSubject["components"][number],
  report: Pick<StatusReport, "components"> | undefined,
): StatusFile["components"][number] {
  const seen = report?.components.find((each) => each.name === of);
  return {
    name: of,
    zone,
    condition: seen?.condition ?? (report === undefined ? "unknown" : "missing"),
    image: image?.slice("sha256:".length) ?? null,
    restarts: seen?.restarts ?? 0,
    changed: (seen?.drift.length ?? 0) > 0,
  };
}

function certificateOf({ class: of, usedBy, notAfter, lifeLeft, state }: InventoryRow) {
  return {
    class: of,
    name: userOf(usedBy[0] ?? ""),
    notAfter: notAfter.toISOString(),
    lifeLeft: toShare(lifeLeft),
    state,
  };
}

/** `broker` of `secrets/broker/tls.crt`, `root` of `authorities/root.crt`, and of an authority for one maker's devices just that. */
function userOf(path: string): string {
  const [folder, first = "", ...rest] = path.split("/");
  if (folder === "authorities") return rest.length > 0 ? "maker" : nameOr(first.replace(/\..*$/, ""));
  return nameOr(first);
}

function nameOr(text: string): string {
  return name.safeParse(text).data ?? "other";
}

/** A program may say anything of itself. */
function versionOf(said: string | undefined): string | null {
  return version.safeParse(said).data ?? null;
}
