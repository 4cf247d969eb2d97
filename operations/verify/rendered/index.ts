import type { Finding } from "../../../shared/finding.ts";
import { checkRendered } from "../../../stacks/docker/check/index.ts";
import type { CheckContext, RenderedCode } from "../../../stacks/docker/check/subject.ts";
import { imagesErrors } from "../../images/errors.ts";
import { checksOf } from "../checks.ts";
import { type CheckResult, judged } from "../result.ts";
import { CHECK_OF_CODE } from "./check-of-code.ts";
import type { Deployed } from "./deployed.ts";
import { judgeDeployed, parseStack } from "./judge-deployed.ts";
import { type RenderedCheck, seenOf } from "./seen.ts";

/** What a rendered stack is held against, and what the last deploy left. */
export interface RenderedSubject extends CheckContext {
  readonly deployed: Deployed;
}

/**
 * The rendered layer: the stack as it is synthesised now, and the one that the last deploy left in the state directory, each held
 * against the model; and whether that one and the configuration files are what the model renders. Pure.
 */
export function verifyRendered(stack: unknown, subject: RenderedSubject): readonly CheckResult[] {
  const left = parseStack(subject.deployed);
  const ofLeft = left === undefined ? [] : checkRendered(left, subject);
  const findings = [
    ...checkRendered(stack, subject),
    ...ofLeft.map((found) => ({ ...found, path: `${subject.deployed.stackPath}: ${found.path}` })),
  ];
  return (checksOf("rendered") as readonly RenderedCheck[]).map((id) =>
    id === "rendered.deployed" ? judgeDeployed(stack, subject.deployed) : grouped(id, findings, subject),
  );
}

function grouped(
  id: Exclude<RenderedCheck, "rendered.deployed">,
  findings: readonly Finding[],
  subject: RenderedSubject,
): CheckResult {
  const ofLock = id === "rendered.images" ? (subject.images.findings ?? []) : [];
  const own = [...findings.filter(({ code }) => CHECK_OF_CODE[code as RenderedCode] === id), ...ofLock];
  if (own.length === 0 && findings.some(({ code }) => code === "RENDERED_SHAPE")) {
    return { id, outcome: "not-proven", seen: "a part of the stack is in no form that can be read", findings: [] };
  }
  const unlocked = own.length === 0 && id === "rendered.images" ? unlockedImages(subject) : undefined;
  if (unlocked !== undefined) return { id, outcome: "not-proven", seen: "images are not locked", findings: [unlocked] };
  const both = "text" in subject.deployed.stack ? ", as rendered and as deployed" : "";
  return judged(id, `${seenOf(id, subject)}${both}`, own);
}

function unlockedImages({ model, images }: RenderedSubject): Finding | undefined {
  const names = new Set(model.components.flatMap(({ image }) => image ?? []));
  const open = [...names].filter((name) => images.images[name]?.digest === undefined);
  if (open.length === 0) return undefined;
  const message = `no digest is locked of ${open.join(", ")}`;
  return { code: "IMAGES_NOT_LOCKED", path: "images", message, fix: imagesErrors.entries.IMAGES_NOT_LOCKED.fix };
}
