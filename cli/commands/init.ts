import { ENGINES } from "../../model/deployment.ts";
import { profileNamed } from "../../profiles/index.ts";
import { parseDeploymentYaml } from "../../profiles/parse.ts";
import { keepsRule, renderRule } from "../../profiles/rule.ts";
import { deploymentJsonSchema, deploymentSchema } from "../../profiles/schema.ts";
import { renderTemplate } from "../../profiles/template.ts";
import { EXIT } from "../../shared/errors.ts";
import { printJson, type Run } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { writeNew, writeOutput } from "../files.ts";

/** `init`: the deployment file, and beside it the schema that editors check it with. */
export const run: Run = async ({ io, flags, options }) => {
  const { profile: wanted, name = "demo", tenant = "demo", output = "trustkern.yaml" } = options;
  if (typeof wanted !== "string") {
    throw cliErrors.error("CLI_USAGE", "init needs --profile", { path: "--profile", fix: "add --profile dev" });
  }
  const profile = profileNamed(wanted);
  const engine = engineOf(options.engine, profile);
  for (const [key, value] of [["name", name] as const, ["tenant", tenant] as const]) {
    const field = deploymentSchema.shape[key];
    if (field.safeParse(value).success) continue;
    const message = `"${value}" is not accepted; accepted: ${field.description}`;
    throw cliErrors.error("CLI_USAGE", message, { path: `--${key}`, fix: `choose another --${key}` });
  }
  const file = String(output);
  const schemaFile = file.replace(/(\.ya?ml)?$/, ".schema.json");
  const schemaName = schemaFile.replace(/^.*[\\/]/, "");
  const content = renderTemplate(profile, { engine, name: String(name), tenant: String(tenant), schemaName });
  if (options.dryRun === true) {
    io.stdout(content);
    return EXIT.done;
  }
  writeNew(io, file, content);
  writeOutput(io, schemaFile, `${JSON.stringify(deploymentJsonSchema(), null, 2)}\n`);
  if (flags.json) printJson(io, { schema: "trustkern.init/1", file, schemaFile, engine });
  else io.stderr(`wrote ${file} and ${schemaFile}\n${isDeployment(content) ? "" : BLANKS}`);
  return EXIT.done;
};

const BLANKS = "next: fill in what it leaves blank; trustkern config show says what is missing\n";

/** Whether it is a deployment as it is: some profiles ask for what only the operator knows. */
function isDeployment(content: string): boolean {
  try {
    parseDeploymentYaml(content, "trustkern.yaml");
    return true;
  } catch {
    return false;
  }
}

function engineOf(wanted: string | boolean | undefined, profile: ReturnType<typeof profileNamed>) {
  const rule = profile.constraints.find(({ path }) => path === "engine")?.rule ?? { kind: "one-of", values: ENGINES };
  const engine = ENGINES.find((known) => known === (wanted ?? profile.defaults.engine));
  if (engine && keepsRule(rule, engine)) return engine;
  throw cliErrors.error("CLI_USAGE", `profile ${profile.name} does not allow the engine "${String(wanted)}"`, {
    path: "--engine",
    fix: `choose one of: ${renderRule(rule)}`,
  });
}
