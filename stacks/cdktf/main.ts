import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Deployment } from "../../model/deployment.ts";
import { buildModel } from "../../modules/index.ts";
import { EXIT, messageOf, TrustKernError } from "../../shared/errors.ts";
import { runAsOf } from "../docker/life/options.ts";
import { renderDocker } from "../docker/life/render.ts";
import { dockerPlacement } from "../docker/placement.ts";
import { cdktfErrors } from "./errors.ts";
import { lockedImages } from "./host.ts";
import { lockBeside, planOf, readDeployment } from "./read-plan.ts";
import { STATE_FILE } from "./stack.ts";

/**
 * What `cdktf.json` names: renders the deployment of `TRUSTKERN_FILE`, or of `./trustkern.yaml`, with the state directory of the engine
 * docker in `TRUSTKERN_DIR`, or in `.trustkern` beside the file. `trustkern synth` gives the same JSON.
 */
async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const file = resolve(env.TRUSTKERN_FILE ?? "trustkern.yaml");
  const deployment = readDeployment(file);
  const state = { backend: deployment.state, localFile: STATE_FILE };
  // Each loads the bindings of its own provider alone.
  if (deployment.engine === "docker") {
    const { writeSynth } = await import("../docker/cdktf.ts");
    writeSynth(dockerPlan(deployment, file, env), state);
  } else if (deployment.engine === "kubernetes") {
    const { writeSynth } = await import("../kubernetes/cdktf.ts");
    writeSynth(planOf(deployment, lockBeside(file)), state);
  } else {
    const message = `the deployment has the engine "${deployment.engine}"; accepted: docker, kubernetes`;
    throw cdktfErrors.error("CDKTF_ENGINE", message, { path: file });
  }
}

function dockerPlan(deployment: Deployment, file: string, env: NodeJS.ProcessEnv) {
  const dir = resolve(env.TRUSTKERN_DIR ?? join(dirname(file), ".trustkern"));
  const images = lockedImages(deployment, buildModel(deployment, dockerPlacement(deployment)), lockBeside(file));
  const runAs = runAsOf(process.getuid?.() ?? 0, process.getgid?.() ?? 0);
  return renderDocker({ deployment, images, dir, temporaryDir: tmpdir(), runAs }).plan;
}

try {
  await main(process.env);
} catch (thrown) {
  const known = thrown instanceof TrustKernError;
  process.stderr.write(known ? `${thrown.code} ${thrown.message}\nfix: ${thrown.fix}\n` : `${messageOf(thrown)}\n`);
  process.exitCode = known ? thrown.exit : EXIT.bug;
}
