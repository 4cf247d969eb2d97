import { stringify } from "yaml";
import { buildModel } from "../../modules/index.ts";
import { referencePlacement } from "../../modules/reference-placement.ts";
import { EXIT } from "../../shared/errors.ts";
import { printJson, type Run } from "../command.ts";
import { loadDeployment } from "../deployment-file.ts";

/** `config show`: every default filled in; of secrets their names alone. */
export const run: Run = async ({ io, flags }) => {
  const loaded = await loadDeployment(io, flags);
  const { components } = buildModel(loaded, referencePlacement(loaded));
  // No file says it: it is an option of `up`.
  const { fixture: _, ...deployment } = loaded;
  const secrets = Object.fromEntries(
    components.map((component) => [component.name, component.secrets.map(({ file }) => file)]),
  );
  if (flags.json) printJson(io, { schema: "trustkern.config-show/1", deployment, secrets });
  else io.stdout(stringify({ ...deployment, secrets }));
  return EXIT.done;
};
