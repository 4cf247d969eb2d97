import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { buildModel } from "../../modules/index.ts";
import { LOCK_FILE, readImageLock } from "../../operations/images/lock-file.ts";
import { assertPins, pinsOf } from "../../operations/images/pins.ts";
import packageJson from "../../package.json" with { type: "json" };
import { parseDeploymentYaml } from "../../profiles/parse.ts";
import { EXIT, messageOf, TrustKernError } from "../../shared/errors.ts";
import { STATE_FILE, writeSynth } from "./cdktf.ts";
import { runAsOf } from "./life/options.ts";
import { renderDocker } from "./life/render.ts";
import { dockerPlacement } from "./placement.ts";

/**
 * What `cdktf.json` names: renders the deployment of `TRUSTKERN_FILE`, or of `./trustkern.yaml`, with its state in
 * `TRUSTKERN_DIR`, or in `.trustkern` beside the file. `trustkern synth` gives the same JSON.
 */
function main(env: NodeJS.ProcessEnv): void {
  const file = resolve(env.TRUSTKERN_FILE ?? "trustkern.yaml");
  const deployment = parseDeploymentYaml(readFileSync(file, "utf8"), file);
  const dir = resolve(env.TRUSTKERN_DIR ?? join(dirname(file), ".trustkern"));
  const model = buildModel(deployment, dockerPlacement(deployment));
  const images = pinsOf(deployment, model, readImageLock(join(dirname(file), LOCK_FILE)), packageJson.version);
  assertPins(images);
  const runAs = runAsOf(process.getuid?.() ?? 0, process.getgid?.() ?? 0);
  const { plan } = renderDocker({ deployment, images, dir, temporaryDir: tmpdir(), runAs });
  writeSynth(plan, { backend: deployment.state, localFile: STATE_FILE });
}

try {
  main(process.env);
} catch (thrown) {
  const known = thrown instanceof TrustKernError;
  process.stderr.write(known ? `${thrown.code} ${thrown.message}\nfix: ${thrown.fix}\n` : `${messageOf(thrown)}\n`);
  process.exitCode = known ? thrown.exit : EXIT.bug;
}
