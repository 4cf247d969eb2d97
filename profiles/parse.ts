import type { Deployment } from "../model/deployment.ts";
import { renderFindings } from "../model/findings.ts";
import type { Finding } from "../shared/finding.ts";
import { egressFindings } from "./egress-findings.ts";
import { profileErrors } from "./errors.ts";
import { gatewayFindings } from "./gateway-findings.ts";
import { imageFindings } from "./image-findings.ts";
import { keyFindings } from "./key-findings.ts";
import { kubernetesFindings } from "./kubernetes-findings.ts";
import { type LineResult, profileLines } from "./lines.ts";
import { profileFindings } from "./profile-findings.ts";
import { resolveDeployment } from "./resolve.ts";
import { deploymentSchema } from "./schema.ts";
import { schemaFindings } from "./schema-findings.ts";
import { secretFindings } from "./secret-findings.ts";
import { supportFindings } from "./support-findings.ts";
import { readYaml, type YamlSource } from "./yaml-source.ts";

/** What can be wrong with a file that has the form: its profile's lines, and members that contradict each other. */
const BEYOND_FORM = [
  profileFindings,
  keyFindings,
  kubernetesFindings,
  imageFindings,
  gatewayFindings,
  egressFindings,
  supportFindings,
  secretFindings,
] as const;

/** What a `trustkern.yaml` says. */
export interface ReadDeployment {
  readonly deployment: Deployment;
  /** Every line of its profile, all kept. */
  readonly lines: readonly LineResult[];
}

/**
 * The deployment that a `trustkern.yaml` describes.
 * @param file its name, for the report
 * @throws CONFIG_INVALID with every mistake, in the order of the text, as its cause
 */
export function parseDeploymentYaml(text: string, file: string): Deployment {
  return readDeploymentYaml(text, file).deployment;
}

/**
 * {@link parseDeploymentYaml}, with what its profile says of it.
 * @throws CONFIG_INVALID with every mistake, in the order of the text, as its cause
 */
export function readDeploymentYaml(text: string, file: string): ReadDeployment {
  const source = readYaml(text);
  return judged(source, mistakesOf(source), file);
}

/**
 * The deployment of an object that says what a `trustkern.yaml` would, and is held to the same. No mistake has a place in a text.
 * @param name what it is called, for the report
 * @param input plain data: what JSON has no word for is lost before it is looked at
 * @throws CONFIG_INVALID with every mistake as its cause
 */
export function readDeploymentInput(input: unknown, name: string): ReadDeployment {
  const source = readYaml(JSON.stringify(input ?? null));
  const findings = mistakesOf(source).map(({ line: _, column: __, ...finding }) => finding);
  return judged(source, findings, name);
}

function judged(source: YamlSource, findings: readonly Finding[], name: string): ReadDeployment {
  const parsed = deploymentSchema.safeParse(source.value);
  if (findings.length > 0 || !parsed.success) {
    throw profileErrors.error("CONFIG_INVALID", renderFindings(name, findings), { path: name, cause: findings });
  }
  return { deployment: resolveDeployment(parsed.data), lines: profileLines(parsed.data) };
}

function mistakesOf(source: YamlSource): readonly Finding[] {
  const unreadable = source.partial && source.value === undefined;
  const broken = new Set(source.findings.map(placeOf));
  const schema = unreadable ? [] : schemaFindings(source);
  const wrong = new Set(schema.map(({ path }) => path));
  const profile = BEYOND_FORM.flatMap((find) => find(source)).filter(
    ({ path }) => !wrong.has(path) && !wrong.has(parentOf(path)),
  );
  const beyondSyntax = [...schema, ...profile].filter((finding) => !broken.has(placeOf(finding)));
  return [...source.findings, ...beyondSyntax].sort(byPlace);
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
