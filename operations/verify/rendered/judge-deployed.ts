import type { Finding } from "../../../shared/finding.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import { type CheckResult, judged } from "../result.ts";
import type { Deployed, DeployedFile, FileText } from "./deployed.ts";
import { differences } from "./differences.ts";
import { renderedLayerErrors } from "./errors.ts";

const ID = "rendered.deployed";
const SHOWN = 5;

/** Whether what is on this host's disk is what the model renders now, byte by byte. */
export function judgeDeployed(stack: unknown, { stackPath, stack: found, files }: Deployed): CheckResult {
  if (isAbsent(found, "missing")) {
    const fix = "bring it up with `trustkern deploy`, or name its state directory with --dir";
    const message = "nothing was deployed from this state directory";
    return notProven({ code: "NOT_DEPLOYED", path: stackPath, message, fix });
  }
  const breaches = [...stackFindings(stack, stackPath, found), ...files.flatMap(fileFindings)];
  const all = [{ path: stackPath, found }, ...files];
  const [unread] = all.filter((file) => isAbsent(file.found, "unreadable"));
  if (breaches.length === 0 && unread !== undefined) {
    return notProven(finding("DEPLOYED_UNREADABLE", unread.path, "cannot be read by this user"));
  }
  return judged(ID, `the stack and ${files.length} configuration files on this host`, breaches);
}

/** The stack that OpenTofu was given, as JSON; undefined where there is none that can be read. */
export function parseStack({ stack }: Deployed): unknown {
  try {
    return "text" in stack ? JSON.parse(stack.text) : undefined;
  } catch {
    return undefined;
  }
}

/** The text that a deploy writes of a stack. */
function textOf(stack: unknown): string {
  return `${stableJson(stack, 2)}\n`;
}

function stackFindings(stack: unknown, path: string, found: FileText): readonly Finding[] {
  if (!("text" in found) || found.text === textOf(stack)) return [];
  return [finding("DEPLOYED_STACK_DIFFERS", path, differing(stack, found.text))];
}

function differing(stack: unknown, text: string): string {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return "is no JSON";
  }
  const places = differences(stack, found);
  if (places.length === 0) return "differs in its spaces or in members that are there twice";
  const more = places.length > SHOWN ? `, and ${places.length - SHOWN} more` : "";
  return `differs at ${places.slice(0, SHOWN).join(", ")}${more}`;
}

function fileFindings({ component, path, found, rendered }: DeployedFile): readonly Finding[] {
  if (isAbsent(found, "unreadable") || ("text" in found && found.text === rendered)) return [];
  const what = "text" in found ? "is not what the model renders" : "is gone";
  return [finding("DEPLOYED_FILE_DIFFERS", path, `a configuration file of "${component}" ${what}`)];
}

function isAbsent(found: FileText, why: "missing" | "unreadable"): boolean {
  return "absent" in found && found.absent === why;
}

function notProven(why: Finding): CheckResult {
  return { id: ID, outcome: "not-proven", seen: why.message, findings: [why] };
}

function finding(code: keyof typeof renderedLayerErrors.entries, path: string, message: string): Finding {
  return { code, path, message, fix: renderedLayerErrors.entries[code].fix };
}
