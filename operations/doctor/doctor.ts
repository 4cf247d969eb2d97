import { stateLabelOf } from "../../stacks/docker/labels.ts";
import { decryptionKeys, hostKeyFindings, issuingKeys } from "../../stacks/docker/life/host-keys.ts";
import { builtInCdk, gatherCdk, judgeCdk } from "./checks/cdk.ts";
import { gatherCertificates, judgeCertificates } from "./checks/certificates.ts";
import { gatherClock, judgeClock } from "./checks/clock.ts";
import { judgeCluster } from "./checks/cluster.ts";
import { judgeDecryptionKeys } from "./checks/decryption-keys.ts";
import { gatherDisk, judgeDisk } from "./checks/disk.ts";
import { judgeDocker } from "./checks/docker.ts";
import { gatherImages, judgeImages } from "./checks/images.ts";
import { judgeIssuingKeys } from "./checks/issuing-keys.ts";
import { custodyCoreLimit, judgeKeysInMemory } from "./checks/keys-in-memory.ts";
import { gatherPorts, judgePorts } from "./checks/ports.ts";
import { gatherLists, judgeLists } from "./checks/revocation-lists.ts";
import { judgeRotation } from "./checks/rotation.ts";
import { gatherTerraform, judgeTerraform } from "./checks/terraform.ts";
import { type DockerFacts, gatherDocker } from "./docker-facts.ts";
import { CHECKS, type CheckName, type DoctorFinding, findingsOf } from "./finding.ts";
import { gatherCoreDumps, judgeCoreDumps } from "./hardening/core-dumps.ts";
import { gatherEncryption, judgeEncryption } from "./hardening/disk-encryption.ts";
import { gatherSwap, judgeSwap } from "./hardening/swap.ts";
import { type DoctorSubject, type Needs, needsOf } from "./subject.ts";

type Check = (
  subject: DoctorSubject,
  needs: Needs,
  docker: DockerFacts,
) => readonly DoctorFinding[] | Promise<readonly DoctorFinding[]>;

const RUN: Readonly<Record<CheckName, Check>> = {
  docker: (_, needs, docker) => judgeDocker(docker, needs),
  terraform: async ({ findTerraform }, needs) => judgeTerraform(await gatherTerraform(findTerraform), needs),
  cdk: ({ machine, modulePaths }, needs) =>
    modulePaths === undefined ? builtInCdk() : judgeCdk(gatherCdk(machine, modulePaths), needs),
  cluster: async ({ deployed, lookAtCluster }) =>
    deployed === undefined
      ? withoutDeployment("cluster")
      : judgeCluster(await lookAtCluster(), deployed.deployment.kubernetes.namespace),
  images: async ({ deployed, lockFile, machine, docker }, needs) =>
    deployed === undefined
      ? withoutDeployment("images")
      : judgeImages(await gatherImages(deployed, lockFile, machine, docker), needs),
  ports: async ({ deployed, stateDir, machine, docker }) =>
    deployed === undefined
      ? withoutDeployment("ports")
      : judgePorts(await gatherPorts(deployed, machine, docker), stateLabelOf(stateDir)),
  disk: ({ machine, stateDir }, _, docker) => [
    ...judgeDisk(gatherDisk(machine, stateDir, rootOf(docker))),
    ...unknownRoot("disk", docker),
  ],
  clock: async ({ machine }, needs, docker) => judgeClock(await gatherClock(machine), docker, needs),
  "issuing keys": async ({ deployed, machine, runAs }) =>
    deployed === undefined
      ? withoutDeployment("issuing keys")
      : judgeIssuingKeys(
          deployed.deployment,
          await hostKeyFindings(issuingKeys(deployed.deployment), runAs, machine.lookAt),
        ),
  "decryption keys": async ({ deployed, machine, docker, runAs }, needs, { state }) => {
    if (deployed === undefined) return withoutDeployment("decryption keys");
    const coreLimit = state === "up" ? await custodyCoreLimit(docker, machine) : undefined;
    const facts = { swap: gatherSwap(machine), coreLimit };
    const { deployment } = deployed;
    const missing =
      deployment.engine === "docker" ? await hostKeyFindings(decryptionKeys(deployment), runAs, machine.lookAt) : [];
    return [...judgeDecryptionKeys(deployment, missing), ...judgeKeysInMemory(deployment, facts, needs)];
  },
  certificates: ({ machine, stateDir, now }) => [
    ...judgeCertificates(gatherCertificates(machine, stateDir), now()),
    ...judgeLists(gatherLists(machine, stateDir), now()),
    ...judgeRotation(machine, stateDir),
  ],
  swap: ({ machine }, needs) => judgeSwap(gatherSwap(machine), needs),
  "core dumps": ({ machine }, needs) => judgeCoreDumps(gatherCoreDumps(machine), needs),
  "disk encryption": ({ machine, stateDir }, _, docker) => [
    ...judgeEncryption(gatherEncryption(machine, stateDir, rootOf(docker))),
    ...unknownRoot("disk encryption", docker),
  ],
};

/** What a deployment on another engine has no use for. */
const DOCKER_ONLY: readonly CheckName[] = ["docker", "terraform", "cdk", "images", "ports", "issuing keys"];
const KUBERNETES_ONLY: readonly CheckName[] = ["cluster"];

/** Looks at everything, whatever fails on the way: a check that breaks is a finding of its own. Changes nothing. */
export async function examine(subject: DoctorSubject): Promise<readonly DoctorFinding[]> {
  const needs = needsOf(subject.deployed);
  const engine = subject.deployed?.deployment.engine;
  const alone = subject.deployed !== undefined && !needs.docker;
  const unneeded = [
    ...(alone ? DOCKER_ONLY : []),
    ...(engine === undefined || engine === "kubernetes" ? [] : KUBERNETES_ONLY),
  ];
  const docker: DockerFacts = alone ? { state: "unneeded" } : await gatherDocker(subject.docker, subject.now);
  const findings: DoctorFinding[] = [];
  for (const check of CHECKS) {
    const say = findingsOf(check);
    if (unneeded.includes(check)) {
      findings.push(say.ok(`not needed by the engine ${engine}`));
      continue;
    }
    try {
      findings.push(...(await RUN[check](subject, needs, docker)));
    } catch (thrown) {
      findings.push(say.fromError("problem", thrown));
    }
  }
  return findings;
}

function withoutDeployment(check: CheckName): readonly DoctorFinding[] {
  const fix = "name a deployment with -f FILE, or write one with `trustkern init --profile dev --engine docker`";
  return [
    findingsOf(check).bad("warning", "DOCTOR_NOT_CHECKED", `no trustkern.yaml says what the ${check} should be`, fix),
  ];
}

function rootOf(docker: DockerFacts): string | undefined {
  return docker.state === "up" ? docker.rootDir : undefined;
}

function unknownRoot(check: CheckName, { state }: DockerFacts): readonly DoctorFinding[] {
  if (state !== "away") return [];
  const message = "docker's folder was not looked at: docker does not answer";
  return [findingsOf(check).bad("warning", "DOCTOR_NOT_CHECKED", message)];
}
