import { ceremonyErrors } from "../certs/ceremony/errors.ts";
import { denials } from "../certs/denial.ts";
import { certsErrors } from "../certs/errors.ts";
import { signersErrors } from "../certs/signers/errors.ts";
import { stepCaErrors } from "../certs/step-ca/errors.ts";
import { auditErrors } from "../custody/audit/errors.ts";
import { auditFindings } from "../custody/audit/findings.ts";
import { custodyStoreErrors } from "../custody/backends/errors.ts";
import { custodyErrors } from "../custody/errors.ts";
import { escrowErrors } from "../custody/escrow/errors.ts";
import { kemErrors } from "../custody/kem-errors.ts";
import { replicaErrors } from "../custody/replicas/errors.ts";
import { modelErrors } from "../model/errors.ts";
import { grafanaErrors } from "../modules/grafana/errors.ts";
import { mosquittoErrors } from "../modules/mosquitto/errors.ts";
import { timescaledbErrors } from "../modules/timescaledb/errors.ts";
import { bundleCreateErrors } from "../operations/bundle/create/errors.ts";
import { bundleDeltaErrors } from "../operations/bundle/delta/errors.ts";
import { bundleFormatErrors } from "../operations/bundle/format/errors.ts";
import { siteErrors } from "../operations/bundle/install/errors.ts";
import { sbomErrors } from "../operations/bundle/sbom/errors.ts";
import { toolkitErrors } from "../operations/bundle/toolkit/errors.ts";
import { bundleTrustErrors } from "../operations/bundle/trust/errors.ts";
import { doctorErrors } from "../operations/doctor/errors.ts";
import { envelopeErrors } from "../operations/envelope/errors.ts";
import { evidenceErrors } from "../operations/evidence/errors.ts";
import { gatewayKitErrors } from "../operations/gateway-kit/errors.ts";
import { imagesErrors } from "../operations/images/errors.ts";
import { statusFileErrors } from "../operations/status-file/errors.ts";
import { toolsErrors } from "../operations/tools/errors.ts";
import { insideErrors } from "../operations/verify/cluster/inside/errors.ts";
import { clusterRunningErrors } from "../operations/verify/cluster/running/judge/errors.ts";
import { dataErrors } from "../operations/verify/data/errors.ts";
import { verifyErrors } from "../operations/verify/errors.ts";
import { modelLayerErrors } from "../operations/verify/model/errors.ts";
import { probeErrors } from "../operations/verify/probe/errors.ts";
import { renderedLayerErrors } from "../operations/verify/rendered/errors.ts";
import { runningErrors } from "../operations/verify/running/errors.ts";
import { profileErrors } from "../profiles/errors.ts";
import { protocolErrors } from "../protocol/errors.ts";
import { provisioningErrors } from "../protocol/provisioning-errors.ts";
import { backendErrors } from "../services/backend/errors.ts";
import { fleetErrors } from "../services/backend/fleet/errors.ts";
import { revocationErrors } from "../services/backend/revocation/errors.ts";
import { tokenErrors } from "../services/backend/tokens/errors.ts";
import { guardErrors } from "../services/broker-guard/errors.ts";
import { collectorErrors } from "../services/collector/errors.ts";
import { custodyServiceErrors } from "../services/custody/errors.ts";
import { databaseErrors } from "../services/database/errors.ts";
import { gatewayErrors } from "../services/gateway/errors.ts";
import { brokerTrustErrors } from "../services/runtime/broker-trust/errors.ts";
import { coapErrors } from "../services/runtime/coap/errors.ts";
import { runtimeErrors } from "../services/runtime/errors.ts";
import { schemaErrors } from "../services/schema/errors.ts";
import { simulatorErrors } from "../services/simulator/errors.ts";
import { controlErrors } from "../shared/control-client.ts";
import { sharedErrors } from "../shared/durations.ts";
import type { ErrorEntry } from "../shared/errors.ts";
import { grpcErrors } from "../shared/grpc/client.ts";
import { cdktfErrors } from "../stacks/cdktf/errors.ts";
import { renderedErrors } from "../stacks/docker/check/errors.ts";
import { dockerStackErrors } from "../stacks/docker/errors.ts";
import { dockerLifeErrors } from "../stacks/docker/life/errors.ts";
import { terraformErrors } from "../stacks/docker/terraform/errors.ts";
import { embeddedErrors } from "../stacks/embedded/errors.ts";
import { dockerErrors } from "../stacks/host/docker-cli.ts";
import { hostErrors } from "../stacks/host/errors.ts";
import { generationErrors } from "../stacks/host/generations/errors.ts";
import { rotationErrors } from "../stacks/host/rotation/errors.ts";
import { trustErrors } from "../stacks/host/trust/errors.ts";
import { objectErrors } from "../stacks/kubernetes/check/errors.ts";
import { kubernetesStackErrors } from "../stacks/kubernetes/errors.ts";
import { kubernetesLifeErrors } from "../stacks/kubernetes/life/errors.ts";
import { pulumiErrors } from "../stacks/pulumi/errors.ts";
import { cliErrors } from "./errors.ts";

const CATALOGUES = [
  sharedErrors,
  controlErrors,
  grpcErrors,
  protocolErrors,
  provisioningErrors,
  certsErrors,
  signersErrors,
  ceremonyErrors,
  denials,
  stepCaErrors,
  custodyErrors,
  auditErrors,
  auditFindings,
  escrowErrors,
  kemErrors,
  replicaErrors,
  custodyStoreErrors,
  modelErrors,
  timescaledbErrors,
  profileErrors,
  runtimeErrors,
  coapErrors,
  backendErrors,
  fleetErrors,
  revocationErrors,
  tokenErrors,
  brokerTrustErrors,
  guardErrors,
  custodyServiceErrors,
  collectorErrors,
  databaseErrors,
  gatewayErrors,
  simulatorErrors,
  schemaErrors,
  mosquittoErrors,
  grafanaErrors,
  toolsErrors,
  imagesErrors,
  gatewayKitErrors,
  probeErrors,
  dataErrors,
  clusterRunningErrors,
  insideErrors,
  runningErrors,
  doctorErrors,
  dockerStackErrors,
  renderedErrors,
  terraformErrors,
  dockerLifeErrors,
  kubernetesLifeErrors,
  kubernetesStackErrors,
  objectErrors,
  cdktfErrors,
  hostErrors,
  generationErrors,
  rotationErrors,
  trustErrors,
  dockerErrors,
  embeddedErrors,
  pulumiErrors,
  envelopeErrors,
  verifyErrors,
  modelLayerErrors,
  renderedLayerErrors,
  evidenceErrors,
  bundleDeltaErrors,
  bundleFormatErrors,
  bundleCreateErrors,
  sbomErrors,
  toolkitErrors,
  bundleTrustErrors,
  siteErrors,
  statusFileErrors,
  cliErrors,
];

/** Every error code of the project, with what it means; the engine's word on a code goes before a service's. */
export function allErrors(): ReadonlyMap<string, ErrorEntry> {
  return new Map(CATALOGUES.flatMap(({ entries }) => Object.entries<ErrorEntry>(entries)));
}
