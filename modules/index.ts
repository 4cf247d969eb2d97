import { ONLINE_CLASSES } from "../certs/step-ca/names.ts";
import { type Model, verifiedModel } from "../model/boundary.ts";
import type { Deployment } from "../model/deployment.ts";
import type { Placement } from "../model/placement.ts";
import { backend } from "./backend/component.ts";
import { collector } from "./collector/component.ts";
import { custody } from "./custody/component.ts";
import { custodyBroker } from "./custody-broker/component.ts";
import { elsewhere } from "./external.ts";
import { type CoreParts, coreFlows, type SupportParts, supportFlows } from "./flows.ts";
import { gateway } from "./gateway/component.ts";
import { grafana } from "./grafana/component.ts";
import { hasLoki, shipsLogs } from "./logs.ts";
import { loki } from "./loki/component.ts";
import { broker } from "./mosquitto/component.ts";
import { prometheus } from "./prometheus/component.ts";
import { shipper } from "./shipper/component.ts";
import { simulator } from "./simulator/component.ts";
import { stepCa } from "./step-ca/component.ts";
import { database } from "./timescaledb/component.ts";
import { schema } from "./timescaledb/schema-component.ts";

/**
 * The components and flows of a deployment, in the order in which they start.
 * @throws BOUNDARY_BROKEN
 */
export function buildModel(deployment: Deployment, placement: Placement): Model {
  const core: CoreParts = {
    database: elsewhere(database(deployment, placement), deployment),
    custody: custody(deployment, placement),
    custodyBroker: custodyBroker(deployment, placement),
    broker: broker(deployment, placement),
    backend: backend(deployment, placement),
    collector: collector(deployment, placement),
    gateways: deployment.gateways.map((name) => gateway(deployment, placement, name)),
    simulators: deployment.simulator.sensors > 0 ? [simulator(deployment, placement)] : [],
  };
  const { gateways, simulators, ...services } = core;
  const support = deployment.engine === "embedded" ? undefined : supportOf(deployment, placement);
  const { grafanas = [], stepCas = [], shippers = [], lokis = [], ...helpers } = support ?? {};
  return verifiedModel({
    engine: deployment.engine,
    components: [
      ...shippers,
      ...lokis,
      ...Object.values(helpers),
      ...stepCas,
      ...Object.values(services),
      ...gateways,
      ...simulators,
      ...grafanas,
    ],
    flows: [...coreFlows(core, deployment.engine), ...(support === undefined ? [] : supportFlows(core, support))],
  });
}

function supportOf(deployment: Deployment, placement: Placement): SupportParts {
  return {
    shippers: shipsLogs(deployment) ? [shipper(deployment, placement)] : [],
    lokis: hasLoki(deployment) ? [elsewhere(loki(deployment, placement), deployment)] : [],
    prometheus: elsewhere(prometheus(deployment, placement), deployment),
    stepCas: ONLINE_CLASSES.map((leafClass) => elsewhere(stepCa(deployment, placement, leafClass), deployment)),
    schema: schema(deployment, placement),
    grafanas: deployment.images.grafana === "absent" ? [] : [elsewhere(grafana(deployment, placement), deployment)],
  };
}
