import { createHash } from "node:crypto";
import { dirname, relative } from "node:path";
import type { KeySigner } from "../../../certs/signers/signer.ts";
import type { Deployment } from "../../../model/deployment.ts";
import { MANAGE_SOCKET } from "../../../modules/custody/component.ts";
import { TPM_DEVICE } from "../../../profiles/host-socket.ts";
import { custodyManagement } from "../../host/custody-management.ts";
import { checkStart } from "../../host/trust/check.ts";
import { trustErrors } from "../../host/trust/errors.ts";
import { observeContainers } from "../../host/trust/observe.ts";
import type { StartPlace } from "../../host/trust/place.ts";
import { realPath } from "../../host/trust/seen-of-host.ts";
import { signStart } from "../../host/trust/sign.ts";
import { type AskPassphrase, unsealChecked, untilAnswers } from "../../host/trust/unseal.ts";
import { STATE_LABEL, stateLabelOf } from "../labels.ts";
import { hostConfigFile, hostSocket } from "../mounts.ts";
import { driftOf } from "./drift.ts";
import { decryptionKeys, issuingKeys } from "./host-keys.ts";
import { inspectContainers } from "./inspect.ts";
import type { DockerOptions } from "./options.ts";
import type { Rendered } from "./render.ts";

/** Longest wait until custody's socket is there, in milliseconds. */
const ANSWER_MS = 60_000;

/** Who orders the unsealing that belongs to a deploy, for records. */
const DEPLOY_ACTOR = "trustkern deploy";

/** The deployment whose start is looked at. */
export function startPlace(
  { deployment }: Pick<DockerOptions, "deployment">,
  { layout }: Pick<Rendered, "layout">,
): StartPlace {
  const guarded = guardedPaths(deployment);
  // A folder that is reached by a link has two names, and whoever mounts the other one sees the same.
  const known = [layout.dir, layout.runDir, ...guarded];
  const real = known.map(realPath).filter((path) => !known.includes(path));
  const label = [STATE_LABEL, stateLabelOf(layout.dir)] as const;
  return { deployment, layout, guarded: [...guarded, ...new Set(real)], label };
}

/** Sockets of tokens, a TPM or its simulator, and those of the engine and of what runs below it. */
function guardedPaths(deployment: Deployment): readonly string[] {
  const keys = [decryptionKeys(deployment), issuingKeys(deployment)].flatMap(({ place, socket: [, socket] }) => {
    if (place.kind === "pkcs11") return [dirname(socket)];
    if (place.kind !== "tpm2") return [];
    return [TPM_DEVICE.test(place.device) ? place.device : dirname(place.device)];
  });
  return [...new Set([...keys, "/run/docker.sock", "/var/run/docker.sock", "/run/containerd"])];
}

/**
 * Signs what a deploy has left on this host, as the model says it and Docker shows it.
 * @throws START_NOT_AS_PLANNED when the two differ, and what signing throws
 */
export async function signDeployed(options: DockerOptions, rendered: Rendered, signer: KeySigner): Promise<number> {
  const { docker, clock } = options;
  const { layout, model, plan } = rendered;
  const names = model.components.map(({ name }) => name);
  const running = await inspectContainers(docker, names);
  const drift = names.flatMap((name) => {
    const container = running.get(name);
    const differences = container === undefined ? ["it is not there"] : driftOf(name, plan, container);
    return differences.map((difference) => `${name}: ${difference}`);
  });
  if (drift.length > 0) throw trustErrors.error("START_NOT_AS_PLANNED", drift.join("; "), { path: "containers" });
  const own = (await observeContainers(docker)).filter(({ name }) => names.includes(name));
  const files = model.components.flatMap(({ name, files: all }) =>
    all.map(
      ({ path, content }) => [relative(layout.dir, hostConfigFile(layout, name, path)), sha256(content)] as const,
    ),
  );
  const containers = Object.fromEntries(own.map(({ name, facts }) => [name, facts]));
  // Of the model, and not of the disk: what somebody writes there meanwhile is not signed.
  const deployed = { containers, files: Object.fromEntries(files), issuedAt: clock() };
  return signStart(startPlace(options, rendered), deployed, signer);
}

/**
 * Has custody unseal at the end of a deploy, by the same check as after each start. In profile `dev` it has unsealed itself.
 * @param passphrase asks a person, where the store waits for one
 * @throws CUSTODY_START_REFUSED, GRPC_UNREACHABLE, and what custody answers
 */
export async function unsealDeployed(
  options: DockerOptions,
  rendered: Rendered,
  passphrase: AskPassphrase | undefined,
): Promise<void> {
  if (options.deployment.profile === "dev") return;
  const { docker, clock, signal, onProgress } = options;
  const place = startPlace(options, rendered);
  const management = custodyManagement(hostSocket(rendered.layout, "custody", MANAGE_SOCKET));
  try {
    await untilAnswers(management, { limitMs: ANSWER_MS, signal });
    const check = () => checkStart({ ...place, docker });
    await unsealChecked({ ...place, management, check, passphrase, actor: DEPLOY_ACTOR, clock });
  } finally {
    management.close();
  }
  onProgress("everything is as deployed: custody is unsealed");
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
