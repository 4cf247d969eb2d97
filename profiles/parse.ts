import type { Deployment } from "../model/deployment.ts";
import { renderFindings } from "../model/findings.ts";
import type { Finding } from "../shared/finding.ts";
import { profileErrors } from "./errors.ts";
import { imageFindings } from "./image-findings.ts";
import { keyFindings } from "./key-findings.ts";
import { profileFindings } from "./profile-findings.ts";
import { resolveDeployment } from "./resolve.ts";
import { deploymentSchema } from "./schema.ts";
import { schemaFindings } from "./schema-findings.ts";
import { readYaml } from "./yaml-source.ts";

/**
 * The deployment that a `trustkern.yaml` describes.
 * @param file its name, for the report
 * @throws CONFIG_INVALID with every mistake, in the order of the text, as its cause
 */
export function parseDeploymentYaml(text: string, file: string): Deployment {
  const source = readYaml(text);
  const unreadable = source.partial && source.value === undefined;
  const broken = new Set(source.findings.map(placeOf));
  const schema = unreadable ? [] : schemaFindings(source);
  const wrong = new Set(schema.map(({ path }) => path));
  const profile = [...profileFindings(source), ...keyFindings(source), ...imageFindings(source)].filter(
    ({ path }) => !wrong.has(path) && !wrong.has(parentOf(path)),
  );
  const beyondSyntax = [...schema, ...profile].filter((finding) => !broken.has(placeOf(finding)));
  const findings = [...source.findings, ...beyondSyntax].sort(byPlace);
  const parsed = deploymentSchema.safeParse(source.value);
  if (findings.length === 0 && parsed.success) return resolveDeployment(parsed.data);
  throw profileErrors.error("CONFIG_INVALID", renderFindings(file, findings), { path: file, cause: findings });
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf(".")));
}

function placeOf({ line, column }: Finding): string {
  return `${line}:${column}`;
}

function byPlace(a: Finding, b: Finding): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}
