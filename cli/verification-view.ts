import { LAYERS, type Layer, layerOf, sentenceOf } from "../operations/verify/checks.ts";
import { type CheckResult, type Outcome, type Verification, verdictOf } from "../operations/verify/result.ts";
import type { Finding } from "../shared/finding.ts";
import type { Paint } from "./paint.ts";
import { whatIsWrong } from "./what-is-wrong.ts";
import { wrap } from "./wrap.ts";

const MARKS = {
  proven: ["green", "✓ proven"],
  broken: ["red", "✗ broken"],
  "not-proven": ["yellow", "? not proven"],
  "not-required": ["dim", "– not needed"],
} as const satisfies Readonly<Record<Outcome, readonly [Parameters<Paint>[0], string]>>;

const OUTCOME_WIDTH = 12;
const NAME_WIDTH = 12;
const INDENT = 2 + OUTCOME_WIDTH + 2 + NAME_WIDTH + 2;
const NARROWEST = 72;
const WIDEST = 120;
const FINDINGS_MAX = 10;

/**
 * One table of every check that was looked at, by layer; then each breach and each reason for what is not proven, with its path
 * and fix; then the verdict.
 * @param columns of the terminal
 */
export function verificationText(verification: Verification, paint: Paint, columns: number): string {
  const { deployment, tenant, profile, engine, layers, results } = verification;
  const width = Math.min(Math.max(columns, NARROWEST), WIDEST) - 1;
  const title = `${paint("bold", deployment)} (tenant ${tenant}, profile ${profile}, engine ${engine})`;
  const lines = [
    title,
    ...layers.flatMap((layer) => ["", ...layerLines(layer, verification, paint, width)]),
    ...groupsOf(results).flatMap((group) => ["", ...groupLines(group, paint, width)]),
    "",
    ...verdictLines(verification, paint, width),
  ];
  return `${lines.join("\n")}\n`;
}

function layerLines(
  layer: Layer,
  { results: all, engine }: Verification,
  paint: Paint,
  width: number,
): readonly string[] {
  const results = all.filter(({ id }) => layerOf(id) === layer);
  const [first, ...more] = results;
  // What keeps a whole layer from being looked at is said once.
  const common = first !== undefined && more.length > 0 && more.every(({ seen }) => seen === first.seen);
  const title = common ? wrap(`${layer}: ${first.seen}`, width) : [layer];
  return [
    ...title.map((line) => paint("bold", line)),
    ...results.flatMap((result) => rowLines(result, { engine, withSeen: !common }, paint, width)),
  ];
}

function rowLines(
  result: CheckResult,
  { engine, withSeen }: { readonly engine: string; readonly withSeen: boolean },
  paint: Paint,
  width: number,
): readonly string[] {
  const { id, outcome, reportOnly } = result;
  const seen = whatIsWrong(result);
  const [color, mark] = MARKS[outcome];
  const [first = "", ...rest] = wrap(sentenceOf(id, engine), width - INDENT);
  const name = id.slice(id.indexOf(".") + 1);
  const noted = reportOnly === true && outcome === "not-proven" ? `${seen}; the profile lets it be reported` : seen;
  const below = withSeen ? wrap(noted, width - INDENT).map((line) => paint("dim", line)) : [];
  const indented = [...rest, ...below].map((line) => " ".repeat(INDENT) + line);
  return [`  ${paint(color, mark.padEnd(OUTCOME_WIDTH))}  ${name.padEnd(NAME_WIDTH)}  ${first}`, ...indented];
}

/** Findings that the same checks have. */
interface Group {
  readonly ids: readonly string[];
  readonly outcome: Outcome;
  readonly findings: readonly Finding[];
}

function groupsOf(results: readonly CheckResult[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const { id, outcome, findings } of results.filter((result) => result.findings.length > 0)) {
    const key = JSON.stringify([outcome, findings]);
    groups.set(key, { ids: [...(groups.get(key)?.ids ?? []), id], outcome, findings });
  }
  return [...groups.values()];
}

function groupLines({ ids, outcome, findings }: Group, paint: Paint, width: number): readonly string[] {
  const [color, mark] = MARKS[outcome];
  const [first = "", ...others] = ids;
  const title = others.length === 0 ? first : `${first} and ${others.length} more`;
  const left = findings.length - FINDINGS_MAX;
  return [
    `${paint(color, mark)}  ${paint("bold", title)}`,
    ...findings.slice(0, FINDINGS_MAX).flatMap((finding, index) => {
      // A fix that several in a row have is said once, below the last.
      const said = index + 1 < FINDINGS_MAX && findings[index + 1]?.fix === finding.fix;
      return [...findingLines(finding, width), ...(said ? [] : fixLines(finding, paint, width))];
    }),
    ...(left > 0 ? [`  and ${left} more, which --json prints`] : []),
  ];
}

function findingLines({ code, path, message }: Finding, width: number): readonly string[] {
  return [`  ${path}`, ...inside(`${message} [${code}]`, width)];
}

function fixLines({ fix }: Finding, paint: Paint, width: number): readonly string[] {
  return inside(`fix: ${fix}`, width).map((line) => paint("dim", line));
}

function inside(text: string, width: number): readonly string[] {
  return wrap(text, width - 4).map((line) => `    ${line}`);
}

function verdictLines(verification: Verification, paint: Paint, width: number): readonly string[] {
  const { results } = verification;
  const verdict = verdictOf(verification);
  const named = (outcome: Outcome): readonly string[] =>
    results.filter((result) => result.outcome === outcome).map(({ id }) => id);
  const open = named("not-proven");
  const count = `${named("proven").length} of ${results.length} checks are proven`;
  const rest = open.length === 0 ? "" : `, ${open.length} not proven`;
  const text = {
    proven: `proven: ${count}${open.length === 0 ? "" : `; reported as not proven: ${open.join(", ")}`}`,
    broken: `broken: ${named("broken").join(", ")}; ${count}${rest}${layersText(results)}`,
    "not-proven": `not proven: ${count}${open.length === 0 ? "" : `, ${open.length} could not be looked at`}${layersText(results)}`,
  }[verdict];
  return wrap(text, width).map((line) => paint(MARKS[verdict][0], line));
}

/** Of which layers something was seen, and of which nothing was; empty where something was of each. */
function layersText(results: readonly CheckResult[]): string {
  const isSeen = (layer: Layer) => results.some(({ id, outcome }) => layerOf(id) === layer && outcome !== "not-proven");
  const seen = LAYERS.filter(isSeen);
  const unseen = LAYERS.filter((layer) => !isSeen(layer));
  if (unseen.length === 0) return "";
  const alone = seen.length === 0 ? "no layer" : `${seen.join(", ")} alone`;
  return `; looked at: ${alone}; not looked at: ${unseen.join(", ")}`;
}
