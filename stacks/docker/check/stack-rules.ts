import type { Finding } from "../../../shared/finding.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import { DOCKER_PROVIDER, STATE_FILE } from "../cdktf.ts";
import { type Attributes, type CheckContext, finding, isAttributes, named, shown, strangers } from "./subject.ts";

const CREDENTIALS = /key$|secret|token|password|username|private|profile|role|credential/;
const BACKENDS: Readonly<Record<string, readonly string[]>> = {
  local: ["path"],
  http: ["address", "lock_address", "unlock_address"],
  s3: [
    "bucket",
    "key",
    "region",
    "encrypt",
    "use_lockfile",
    "endpoints",
    "use_path_style",
    "skip_credentials_validation",
    "skip_region_validation",
    "skip_requesting_account_id",
    "skip_metadata_api_check",
  ],
};

/** The pinned provider on this machine's Docker, and the state where `trustkern.yaml` says. */
export function checkTerraform(stack: Attributes, context: CheckContext): readonly Finding[] {
  const terraform = isAttributes(stack.terraform) ? stack.terraform : {};
  const wrong = (path: string, value: unknown, accepted: unknown) =>
    stableJson(value) === stableJson(accepted)
      ? []
      : [finding("RENDERED_PROVIDER", path, `is ${shown(value)}; accepted: ${named(accepted)}`)];
  return [
    ...strangers(terraform, ["backend", "required_providers"], "terraform"),
    ...wrong("provider", stack.provider, { docker: [{}] }),
    ...wrong("terraform.required_providers", terraform.required_providers, { docker: DOCKER_PROVIDER }),
    ...checkBackend(terraform.backend, context),
  ];
}

function checkBackend(value: unknown, { deployment }: CheckContext): readonly Finding[] {
  const backend = deployment.state;
  const path = `terraform.backend.${backend.kind}`;
  const kinds = isAttributes(value) ? Object.keys(value) : [];
  const settings = isAttributes(value) ? value[backend.kind] : undefined;
  if (kinds.length !== 1 || !isAttributes(settings)) {
    return [finding("RENDERED_BACKEND", "terraform.backend", `is ${named(kinds)}; accepted: ["${backend.kind}"]`)];
  }
  const { kind: _, ...wanted } = backend;
  const said = new Map<string, unknown>(Object.entries(wanted));
  if (backend.kind === "local") said.set("path", STATE_FILE);
  if (backend.kind === "http") {
    said.set("lock_address", backend.address);
    said.set("unlock_address", backend.address);
  }
  if (backend.kind === "s3") {
    said.delete("endpoint");
    said.set("encrypt", true);
    said.set("use_lockfile", true);
    if (backend.endpoint !== undefined) said.set("endpoints", { s3: backend.endpoint });
  }
  const known = BACKENDS[backend.kind] ?? [];
  const credentials = Object.keys(settings).filter((name) => !known.includes(name) && CREDENTIALS.test(name));
  const elsewhere = [...said].filter(([name, accepted]) => stableJson(settings[name]) !== stableJson(accepted));
  return [
    ...strangers(settings, [...known, ...credentials], path),
    ...credentials.map((name) =>
      finding("RENDERED_SECRET", `${path}.${name}`, "credentials belong into the environment"),
    ),
    ...elsewhere.map(([name]) =>
      finding("RENDERED_BACKEND", `${path}.${name}`, `is ${shown(settings[name])}; accepted: ${named(said.get(name))}`),
    ),
  ];
}
