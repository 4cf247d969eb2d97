import type { Finding } from "../../../../shared/finding.ts";
import type { CheckContext } from "../../../../stacks/kubernetes/check/context.ts";
import type { ObjectCode } from "../../../../stacks/kubernetes/check/differences.ts";
import { checkRendered } from "../../../../stacks/kubernetes/check/index.ts";
import type { KubernetesPlan } from "../../../../stacks/kubernetes/plan.ts";
import { imagesErrors } from "../../../images/errors.ts";
import { checksOf } from "../../checks.ts";
import type { RenderedCheck } from "../../rendered/seen.ts";
import { type CheckResult, judged } from "../../result.ts";
import { CHECK_OF_OBJECT } from "./check-of-object.ts";
import { seenObjects } from "./seen-objects.ts";

/** What the objects of a deployment are held against, and what the cluster has. */
export interface ObjectsSubject extends CheckContext {
  readonly plan: Pick<KubernetesPlan, "pods" | "objects">;
  /** Everything in which the namespace is not what the plan says, or why that could not be looked at. */
  readonly live: readonly Finding[] | { readonly why: Finding };
}

/**
 * The rendered layer: the objects as they are rendered now, held against the model; and whether the cluster has them, and nothing
 * else. Pure.
 */
export function verifyObjects(subject: ObjectsSubject): readonly CheckResult[] {
  const findings = checkRendered(subject.plan.objects, subject);
  return (checksOf("rendered") as readonly RenderedCheck[]).map((id) =>
    id === "rendered.deployed" ? judgeLive(subject) : grouped(id, findings, subject),
  );
}

function grouped(
  id: Exclude<RenderedCheck, "rendered.deployed">,
  findings: readonly Finding[],
  { plan, model, images }: ObjectsSubject,
): CheckResult {
  const ofLock = id === "rendered.images" ? (images.findings ?? []) : [];
  const own = [...findings.filter(({ code }) => CHECK_OF_OBJECT[code as ObjectCode] === id), ...ofLock];
  if (own.length === 0 && findings.some(({ code }) => code === "OBJECT_SHAPE"))
    return { id, outcome: "not-proven", seen: "a part of the objects is in no form that can be read", findings: [] };
  if (own.length === 0 && id === "rendered.images") {
    const names = new Set(model.components.flatMap(({ image }) => image ?? []));
    const open = [...names].filter((name) => images.images[name]?.digest === undefined);
    if (open.length > 0) {
      const { fix } = imagesErrors.entries.IMAGES_NOT_LOCKED;
      const message = `no digest is locked of ${open.join(", ")}`;
      const why = { code: "IMAGES_NOT_LOCKED", path: "images", message, fix };
      return { id, outcome: "not-proven", seen: "images are not locked", findings: [why] };
    }
  }
  return judged(id, seenObjects(id, plan), own);
}

function judgeLive({ plan, live }: ObjectsSubject): CheckResult {
  const id = "rendered.deployed";
  if ("why" in live) return { id, outcome: "not-proven", seen: live.why.message, findings: [live.why] };
  return judged(id, `${plan.objects.length} objects in the cluster, its pods, and what else is in the namespace`, live);
}
