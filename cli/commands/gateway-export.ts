import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import type { Deployment } from "../../model/deployment.ts";
import { kitAddress } from "../../operations/gateway-kit/address.ts";
import { gatewayKitErrors } from "../../operations/gateway-kit/errors.ts";
import { assertExportable, type KitRequest, type KitTrust, kitFiles } from "../../operations/gateway-kit/kit.ts";
import { packKit } from "../../operations/gateway-kit/pack.ts";
import { type KitPlatform, kitPlatform } from "../../operations/gateway-kit/platform.ts";
import { type KitSources, projectSources, toolkitSources } from "../../operations/gateway-kit/sources.ts";
import { defaultCacheDir } from "../../operations/tools/context.ts";
import { EXIT } from "../../shared/errors.ts";
import { publishedPorts } from "../../stacks/docker/ports.ts";
import type { CertsSite } from "../../stacks/host/certs-site.ts";
import { renderPins } from "../../stacks/host/pins.ts";
import { gatewayName } from "../arguments.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { locateDeployment } from "../deployment-file.ts";
import { claimOutput } from "../files.ts";
import { needed } from "../needed.ts";
import { projectFiles } from "../project-files.ts";
import { talk } from "../talk.ts";
import { wholeNumber } from "../whole-number.ts";
import { certsSite } from "./certs-context.ts";
import type { NewToken } from "./gateway-token-secret.ts";

/**
 * `gateway export GATEWAY`: what the gateway needs on a machine of its own, as one archive that nobody else may read. The token in it is
 * made last, so that what fails before has made none.
 */
export const run: Run = async (context) => {
  const { io, flags, options } = context;
  const name = gatewayName(context.args[0]);
  const output = needed(options.output, "-o");
  const platform = kitPlatform(text(options.platform));
  const hours = wholeNumber(options.hours, "--hours", 1, 168);
  const { deployment } = await locateDeployment(io, flags);
  assertExportable(name, deployment);
  const address = kitAddress(text(options.address), deployment);
  const site = await certsSite(context);
  const request = {
    ...{ deployment, name, platform, address },
    published: publishedPorts(site.model.components, deployment),
    trust: trustOf(site, deployment),
  };
  const about = { gateway: name, file: output, platform, address };
  if (options.dryRun === true) {
    if (flags.json) printJson(io, { schema: "trustkern.gateway-export/1", ...about, expires_at: null });
    else io.stdout(`would write ${output}: ${name} for ${platform}, which reaches this deployment at ${address}\n`);
    return EXIT.done;
  }
  const sources = await sourcesOf(context, platform);
  const expires_at = await write(context, output, site, { ...request, sources }, hours);
  if (flags.json) printJson(io, { schema: "trustkern.gateway-export/1", ...about, expires_at });
  else io.stdout(`${output}: ${name} for ${platform}; its token works once, until ${expires_at}\n`);
  return EXIT.done;
};

/** What cannot be written is given no token. */
async function write(
  { io }: CommandContext,
  output: string,
  site: CertsSite,
  request: Omit<KitRequest, "token">,
  hours: number | undefined,
): Promise<string> {
  const file = claimOutput(io, output, 0o600);
  try {
    assertGoesOn(io);
    const operator = await site.operator();
    const path = `/v1/gateways/${encodeURIComponent(request.name)}/enrolment-tokens`;
    const body = hours === undefined ? {} : { lifetime_hours: hours };
    const { token, expires_at: expiresAt } = (await operator("POST", path, body)) as NewToken;
    const kit = await packKit(request.name, kitFiles({ ...request, token: { token, expiresAt } }));
    assertGoesOn(io);
    file.write(kit);
    return expiresAt;
  } finally {
    file.release();
  }
}

/** @throws GATEWAY_KIT_CANCELLED */
function assertGoesOn({ cancelled }: CommandContext["io"]): void {
  if (cancelled.aborted) throw gatewayKitErrors.error("GATEWAY_KIT_CANCELLED", "cancelled before the kit was written");
}

function trustOf({ pki, secretFile }: CertsSite, { gateways: [gateway = ""] }: Deployment): KitTrust {
  return {
    anchorsPem: pki.store.anchors().join(""),
    brokerPins: renderPins(pki.brokerKeys.read()),
    backendKey: readFileSync(secretFile(gateway, "backend.pub"), "utf8"),
  };
}

async function sourcesOf(context: CommandContext, platform: KitPlatform): Promise<KitSources> {
  const { io, options } = context;
  const named = text(options.runtime);
  const packageFile = named === undefined ? undefined : resolve(io.cwd, named);
  const shared = { env: io.env, signal: io.cancelled, onProgress: talk(context), packageFile };
  const cacheDir = defaultCacheDir(io.env, homedir());
  if (projectFiles.kind === "toolkit") {
    return toolkitSources({ ...shared, cacheDir, toolsDir: "" }, projectFiles.root, platform);
  }
  const { root: projectDir, toolsDir } = projectFiles;
  return projectSources({ ...shared, cacheDir, toolsDir, projectDir }, platform);
}

function text(option: string | boolean | undefined): string | undefined {
  return typeof option === "string" ? option : undefined;
}
