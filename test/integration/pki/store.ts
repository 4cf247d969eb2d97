import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Deployment, Engine, ProfileName } from "../../../model/deployment.ts";
import { type Placement, serverName } from "../../../model/placement.ts";
import { buildModel } from "../../../modules/index.ts";
import { resolveDeployment } from "../../../profiles/resolve.ts";
import { type Layout, layoutOf } from "../../../stacks/host/layout.ts";
import { prepareSecrets } from "../../../stacks/host/secrets.ts";
import { servicesNamespace } from "../../../stacks/host/services-namespace.ts";

const TENANT = "acme";

/** What the secret store of a deployment of that profile, below `folder`, is opened with. */
export function storeIn(folder: string, profile: ProfileName, engine: Engine, pki?: Deployment["pki"]) {
  const layout = layoutOf(folder, tmpdir());
  const input = { name: "plant", tenant: TENANT, profile, engine, gateways: ["gw-01", "gw-02"] };
  const resolved = resolveDeployment(input);
  const deployment = { ...resolved, simulator: { sensors: 5, ratePerSecond: 5 }, pki: pki ?? resolved.pki };
  return {
    layout,
    model: buildModel(deployment, placementIn(layout)),
    secretFile: (component: string, secret: string) => join(layout.secretsDir, component, secret),
    tenant: TENANT,
    namespace: servicesNamespace(deployment),
    pki: deployment.pki,
    clock: () => new Date(),
    existing: false,
    fixture: undefined,
    onEvent: () => undefined,
  };
}

/**
 * Fills the secret store of a deployment of that profile, as a first run does, below `folder`.
 * @param pki where the authorities' keys are
 */
export async function fillStore(...of: Parameters<typeof storeIn>): Promise<void> {
  await prepareSecrets(storeIn(...of));
}

function placementIn(layout: Layout): Placement {
  return {
    endpoint: (component) => ({ host: "127.0.0.1", port: 8443, servername: serverName(component, TENANT) }),
    secretFile: (component, secret) => join(layout.secretsDir, component, secret),
    volumeDir: (component, volume) => join(layout.volumesDir, component, volume),
    configFile: (component, file) => join(layout.configDir, component, file),
    socket: (component, socket) => join(layout.runDir, `${component}.${socket}`),
    listenAddresses: () => ["127.0.0.1"],
  };
}
