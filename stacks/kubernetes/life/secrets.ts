import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Model } from "../../../model/boundary.ts";
import { renderFindings } from "../../../model/findings.ts";
import { SERVER_SECRETS } from "../../../modules/server-credentials.ts";
import { messageOf } from "../../../shared/errors.ts";
import type { Finding } from "../../../shared/finding.ts";
import { logEvent } from "../../host/event-log.ts";
import type { Layout } from "../../host/layout.ts";
import { prepareSecrets } from "../../host/secrets.ts";
import { servicesNamespace } from "../../host/services-namespace.ts";
import { type HostState, readState, settledHosting, writeState } from "../../host/state.ts";
import { hostFiles } from "../../host/store-files.ts";
import { componentLabels } from "../labels.ts";
import type { KubernetesPlan } from "../plan.ts";
import type { ApiObject } from "./api.ts";
import { kubernetesLifeErrors } from "./errors.ts";
import type { ClusterOptions } from "./options.ts";

/** A Secret as it is applied: bytes in Base64 (Kubernetes API, Secret v1). */
export interface SecretObject extends ApiObject {
  readonly type: "Opaque";
  readonly data: Readonly<Record<string, string>>;
}

/**
 * Makes what is missing in the secret store of this machine, and renews what ends.
 * @throws SECRET_NEEDED for what only the operator has, STATE_CORRUPT, STATE_UNWRITABLE, HOSTING_MOVED, CEREMONY_NEEDED, AUTHORITY_NAMESPACE
 */
export async function prepareStore(
  { deployment, clock }: ClusterOptions,
  { layout, model, plan }: { readonly layout: Layout; readonly model: Model; readonly plan: KubernetesPlan },
): Promise<void> {
  const state = readState(layout.stateFile, deployment.tenant, "kubernetes");
  const hosting = settledHosting(state, deployment);
  takeOver(deployment, layout, plan);
  await prepareSecrets({
    layout,
    model,
    secretFile: (component, secret) => join(layout.secretsDir, component, secret),
    tenant: deployment.tenant,
    namespace: servicesNamespace(deployment),
    pki: deployment.pki,
    clock,
    existing: state !== undefined,
    fixture: undefined,
    onEvent: (event) => logEvent(layout, event),
  });
  const next: HostState = {
    schema: "trustkern.kubernetes-state/1",
    tenant: deployment.tenant,
    createdAt: state?.createdAt ?? clock().toISOString(),
    ports: {},
    volumes: [],
    hosting,
  };
  writeState(layout.stateFile, next);
}

/** Of a gateway, by the backend, once that runs: until then its Secret lacks it. */
const GIVEN_LATER = "token";

/** The Secrets of a plan, with their bytes: for the API server alone. */
export function secretObjects({
  layout,
  model,
  plan,
}: {
  readonly layout: Layout;
  readonly model: Model;
  readonly plan: KubernetesPlan;
}): readonly SecretObject[] {
  const { deployment, secrets } = plan;
  return secrets.map(({ secret, keys }) => {
    const component = model.components.find(({ name }) => name === secret);
    if (component === undefined) throw new TypeError(`the plan names a Secret of "${secret}", which is no component`);
    const files = keys.map((key) => [key, join(layout.secretsDir, secret, key)] as const);
    const there = files.filter(([key, file]) => key !== GIVEN_LATER || existsSync(file));
    const data = there.map(([key, file]) => [key, readFileSync(file).toString("base64")] as const);
    return {
      apiVersion: "v1",
      kind: "Secret",
      metadata: {
        name: secret,
        namespace: deployment.kubernetes.namespace,
        labels: componentLabels(deployment, component),
      },
      type: "Opaque",
      data: Object.fromEntries(data),
    };
  });
}

/** Copies what files of this machine say into the secret store, and finds what only the operator can put there. */
function takeOver(deployment: KubernetesPlan["deployment"], layout: Layout, plan: KubernetesPlan): void {
  const { custody, kubernetes } = deployment;
  const vault = custody.kind === "vault" ? custody : undefined;
  const sources: Readonly<Record<string, string | undefined>> = {
    [`custody/${SERVER_SECRETS.vaultToken}`]: vault?.tokenFile,
    [`custody/${SERVER_SECRETS.vaultCa}`]: vault?.caFile,
    "database.crt": kubernetes.external.database?.caFile,
  };
  const findings: Finding[] = [];
  for (const { secret, keys } of plan.secrets) {
    for (const key of keys) {
      const file = join(layout.secretsDir, secret, key);
      const source = sources[`${secret}/${key}`] ?? sources[key];
      if (source !== undefined) {
        try {
          hostFiles.write(file, readFileSync(source, "utf8"));
        } catch (thrown) {
          findings.push(needed(source, `cannot be read: ${messageOf(thrown)}`, `put it there, readable for this user`));
        }
      } else if (key === SERVER_SECRETS.aws && !existsSync(file)) {
        const fix =
          "write the credentials there that this component alone has, as AWS's shared credentials file, mode 0600";
        findings.push(needed(file, "is not there", fix));
      }
    }
  }
  const owner = join(layout.secretsDir, "database", "owner.password");
  if (kubernetes.external.database !== undefined && !existsSync(owner)) {
    const fix = "write the password of the role that owns the schema there, mode 0600";
    findings.push(needed(owner, "is not there, and the database is somebody else's", fix));
  }
  if (findings.length === 0) return;
  const message = renderFindings("secrets that only the operator has are missing", findings);
  throw kubernetesLifeErrors.error("SECRET_NEEDED", message, { path: findings[0]?.path, cause: findings });
}

function needed(path: string, what: string, fix: string): Finding {
  return { code: "SECRET_NEEDED", path, message: `"${path}" ${what}`, fix };
}
