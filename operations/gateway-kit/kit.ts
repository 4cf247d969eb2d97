import type { Deployment } from "../../model/deployment.ts";
import type { PublishedPort } from "../../stacks/docker/ports.ts";
import { kitConfig } from "./config.ts";
import { gatewayKitErrors } from "./errors.ts";
import { renderInstallScript } from "./install-script.ts";
import type { KitFile } from "./pack.ts";
import { UNIT } from "./places.ts";
import type { KitPlatform } from "./platform.ts";
import { renderReadme } from "./readme.ts";
import type { KitSources } from "./sources.ts";
import { renderGatewayUnit } from "./unit.ts";

/** What a gateway elsewhere trusts at first. */
export interface KitTrust {
  /** Trust anchors, PEM. */
  readonly anchorsPem: string;
  /** Keys that the broker may have, a line each. */
  readonly brokerPins: string;
  /** The key that signs allowlists and configurations: an uncompressed point in hex. */
  readonly backendKey: string;
}

/** The one-time token of a kit. A secret. */
export interface KitToken {
  readonly token: string;
  /** RFC 3339. */
  readonly expiresAt: string;
}

/** What a kit is put together from. */
export interface KitRequest {
  readonly deployment: Deployment;
  readonly name: string;
  readonly platform: KitPlatform;
  readonly address: string;
  readonly published: readonly PublishedPort[];
  readonly sources: KitSources;
  readonly trust: KitTrust;
  readonly token: KitToken;
}

/**
 * Refuses what nobody could enrol with: a name that step-ca and the broker do not know, or a deployment without step-ca.
 * @throws GATEWAY_KIT_ENGINE, GATEWAY_KIT_NAME
 */
export function assertExportable(name: string, { engine, gatewaysElsewhere }: Deployment): void {
  if (engine === "embedded")
    throw gatewayKitErrors.error("GATEWAY_KIT_ENGINE", `the deployment has the engine "${engine}"`, { path: "engine" });
  if (gatewaysElsewhere.includes(name)) return;
  const known = gatewaysElsewhere.join(", ") || "none";
  throw gatewayKitErrors.error("GATEWAY_KIT_NAME", `gatewaysElsewhere does not have "${name}"; it has: ${known}`, {
    path: "gatewaysElsewhere",
  });
}

/** The files of a kit, in their order: what is secret comes last. */
export function kitFiles(request: KitRequest): readonly KitFile[] {
  const { deployment, name, platform, address, published, sources, trust, token } = request;
  const reaches = [
    ["backend", "https"],
    ["broker", "mqtts"],
  ].flatMap(([component, port]) =>
    published
      .filter((each) => each.component === component && each.port.name === port)
      .map(({ external }) => `${component} ${address}:${external} (TCP)`),
  );
  return [
    { path: "README.md", content: renderReadme({ name, platform, reaches, expiresAt: token.expiresAt }) },
    { path: "install.sh", content: renderInstallScript(name, platform), mode: 0o755 },
    { path: `${UNIT}.service`, content: renderGatewayUnit(name) },
    { path: "config.json", content: kitConfig({ deployment, name, address, published }) },
    { path: "ca.crt", content: trust.anchorsPem },
    { path: "broker.pins", content: trust.brokerPins },
    { path: "backend.pub", content: trust.backendKey },
    { path: "app/main.mjs", content: sources.program },
    { path: "app/probe.mjs", content: sources.probe },
    { path: "bin/node", content: { file: sources.node }, mode: 0o755 },
    { path: "LICENSE.node", content: { file: sources.license } },
    { path: "enrolment.token", content: `${token.token}\n`, mode: 0o600 },
  ];
}
