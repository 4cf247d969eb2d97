import { createHash, createPublicKey } from "node:crypto";
import { planInventory } from "../../certs/inventory.ts";
import { nearestExisting } from "../../operations/doctor/nearest-existing.ts";
import { thisMachine } from "../../operations/doctor/this-machine.ts";
import { buildStatusFile } from "../../operations/status-file/build.ts";
import { installedBundle } from "../../operations/status-file/bundle-version.ts";
import { concernsOf } from "../../operations/status-file/concerns.ts";
import { gatherStatus, type StatusSubject } from "../../operations/status-file/gather.ts";
import pkg from "../../package.json" with { type: "json" };
import { EXIT, type ExitCode } from "../../shared/errors.ts";
import { stableJson } from "../../shared/stable-json.ts";
import type { DockerOptions } from "../../stacks/docker/life/options.ts";
import { synthDocker } from "../../stacks/docker/life/render.ts";
import { assertDeployed, custodyStatus, statusDocker } from "../../stacks/docker/life/status.ts";
import { hostSocket } from "../../stacks/docker/mounts.ts";
import { certificateFiles } from "../../stacks/host/certificate-files.ts";
import { dockerOutput } from "../../stacks/host/docker-cli.ts";
import { openSigningKey, pinKey } from "../../stacks/host/trust/signing-key.ts";
import { statusKey } from "../../stacks/host/trust/status-key.ts";
import { askingDocker } from "../asking.ts";
import { claimOutputs } from "../claim-outputs.ts";
import { type CommandContext, printJson } from "../command.ts";
import { dockerTarget } from "../docker-target.ts";
import { cliErrors } from "../errors.ts";
import { publicKeyName } from "../named-key.ts";
import { placeWord, signingKeyPlace } from "../signing-key-place.ts";
import { certsSite } from "./certs-context.ts";

/**
 * `status --export FILE`: writes how the deployment is as one signed file, and the public key beside it. It is written of whatever
 * is found, also of a deployment that is half down.
 * @throws CLI_USAGE, CLI_FILE_EXISTS, NOT_DEPLOYED, STATUS_SIGNER_DIFFERS
 */
export async function exportStatus(context: CommandContext, file: string): Promise<ExitCode> {
  const { io, flags, options, paint } = context;
  if (options.watch === true) {
    throw cliErrors.error("CLI_USAGE", "--watch and --export are two ways to look", { path: "--watch" });
  }
  const place = signingKeyPlace(context, "--status-key", options.statusKey);
  const { options: target } = await dockerTarget(context);
  assertDeployed(target);
  const names = { status: file, key: publicKeyName(file) };
  using outputs = claimOutputs(io, names);
  const at = io.now();
  const facts = await gatherStatus(subjectOf(context, target, at));
  const ownKey = statusKey(target);
  await using opened = new AsyncDisposableStack();
  const key = await openSigningKey(ownKey, place, { stateDir: target.dir, pki: target.deployment.pki });
  const signer = opened.adopt(key, (each) => each.close());
  const written = await buildStatusFile(facts, { signer, place: placeWord(place), writtenAt: at });
  pinKey(ownKey, signer);
  outputs.files.status.write(written.file);
  const publicKey = createPublicKey({ key: signer.publicKeySpki, format: "der", type: "spki" });
  outputs.files.key.write(publicKey.export({ format: "pem", type: "spki" }));
  const { fingerprint } = written.status.signer;
  const concerns = concernsOf(written.status, at);
  if (flags.json) printJson(io, { schema: "trustkern.status-exported/1", fingerprint, files: names, concerns });
  else {
    io.stdout(`${names.status}, ${names.key}\npublic key, SHA-256: ${fingerprint}\n`);
    io.stdout("whoever reads the file has to have that fingerprint from you in person\n");
    io.stdout(
      concerns.length === 0
        ? `${paint("green", "all is well")}\n`
        : `${paint("yellow", "the file says what is not well:")}\n${concerns.map((each) => `  ${each}\n`).join("")}`,
    );
  }
  return concerns.length === 0 ? EXIT.done : EXIT.failed;
}

function subjectOf(context: CommandContext, target: DockerOptions, at: Date): StatusSubject {
  const { io } = context;
  const { deployment, dir } = target;
  const { model, plan, stack, layout } = synthDocker(target);
  const machine = thisMachine(io.env, io.cancelled);
  return {
    deployment,
    components: model.components.map(({ name, zone }) => {
      return { name, zone, image: plan.containers.find((one) => one.name === name)?.pin.digest };
    }),
    versions: {
      toolkit: pkg.version,
      node: process.version,
      bundle: installedBundle(dir),
      stack: createHash("sha256")
        .update(`${stableJson(stack, 2)}\n`)
        .digest("hex"),
    },
    status: () => statusDocker(target),
    custody: () => custodyStatus(deployment, hostSocket(layout, "custody", "control")),
    ...askingDocker(context, target, layout),
    certificates: async () => {
      const site = await certsSite(context);
      const revoked = new Set(site.pki.ledger.revocations().map(({ issuer, serial }) => `${issuer}/${serial}`));
      const isRevoked = (serial: string, issuer: string): boolean => revoked.has(`${issuer}/${serial}`);
      return planInventory({ sources: certificateFiles(site), at, isRevoked });
    },
    disk: async (what) => {
      if (what === "state") return machine.diskSpace(nearestExisting(machine, dir));
      const root = await dockerOutput(target.docker, ["info", "--format", "{{.DockerRootDir}}"]).catch(() => undefined);
      return root === undefined ? undefined : machine.diskSpace(root.trim());
    },
  };
}
