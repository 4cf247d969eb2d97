import { ONLINE_CLASSES } from "../certs/step-ca/names.ts";
import { type Model, verifiedModel } from "../model/boundary.ts";
import type { Deployment } from "../model/deployment.ts";
import type { Placement } from "../model/placement.ts";
import { backend } from "./backend/component.ts";
import { collector } from "./collector/component.ts";
import { custody } from "./custody/component.ts";
import { custodyBroker } from "./custody-broker/component.ts";
import { type CoreParts, coreFlows, type SupportParts, supportFlows } from "./flows.ts";
import { gateway } from "./gateway/component.ts";
import { grafana } from "./grafana/component.ts";
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
    database: database(deployment, placement),
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
  const { grafanas = [], stepCas = [], ...helpers } = support ?? {};
  return verifiedModel({
    engine: deployment.engine,
    components: [
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
    shipper: shipper(deployment, placement),
    loki: loki(deployment, placement),
    prometheus: prometheus(deployment, placement),
    stepCas: ONLINE_CLASSES.map((leafClass) => stepCa(deployment, placement, leafClass)),
    schema: schema(deployment, placement),
    grafanas: deployment.images.grafana === "absent" ? [] : [grafana(deployment, placement)],
  };
}
