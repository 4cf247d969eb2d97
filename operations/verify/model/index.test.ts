import { describe, expect, it } from "vitest";
import { profileLines } from "../../../profiles/lines.ts";
import { DEPLOYMENTS, renderedDeployment } from "../../../test/support/rendered.ts";
import { checksOf } from "../checks.ts";
import { verifyModel } from "./index.ts";
import type { ModelSubject } from "./subject.ts";

const deployment = DEPLOYMENTS.upstream;
const { model } = renderedDeployment(deployment).subject;
const good: ModelSubject = { deployment, model, lines: profileLines({ profile: "dev" }) };
const outcomes = (subject: ModelSubject) => verifyModel(subject).map(({ id, outcome }) => [id, outcome]);
const outcomeOf = (subject: ModelSubject, id: string) => verifyModel(subject).find((result) => result.id === id);

it("proves every check of a model that keeps its boundary and its profile", () => {
  expect(outcomes(good)).toEqual(checksOf("model").map((id) => [id, "proven"]));
});

describe("is broken", () => {
  it("in its table by a gateway that holds plaintext, and in its closure too", () => {
    const components = model.components.map((part) =>
      part.name === "gw-01" ? { ...part, holds: ["plaintext" as const] } : part,
    );
    const broken = { ...good, model: { ...model, components } };
    expect(outcomeOf(broken, "model.table")?.findings[0]?.code).toBe("BOUNDARY_ZONE_HOLDS");
    expect(outcomeOf(broken, "model.reachability")?.findings[0]?.code).toBe("BOUNDARY_CLASS_HELD");
    expect(outcomeOf(broken, "model.profile")?.outcome).toBe("proven");
  });

  it("in its profile by a line that is not kept, with what is accepted and why", () => {
    const [first, ...others] = good.lines;
    const lines = first === undefined ? [] : [{ ...first, value: "everything", kept: false }, ...others];
    const result = outcomeOf({ ...good, lines }, "model.profile");
    expect(result).toMatchObject({ outcome: "broken", findings: [{ code: "CONFIG_PROFILE", path: first?.path }] });
    expect(result?.findings[0]?.message).toContain(first?.reason);
  });
});

describe("misses a component that no profile does without", () => {
  it.each(["custody-broker", "shipper", "gateways-ca", "gw-01"])("%s", (name) => {
    const components = model.components.filter((part) => part.name !== name);
    expect(outcomeOf({ ...good, model: { ...model, components } }, "model.components")).toMatchObject({
      outcome: "broken",
      findings: [{ path: `components.${name}` }],
    });
  });

  it("but not Grafana, which may be absent", () => {
    const components = model.components.filter(({ name }) => name !== "grafana");
    expect(outcomeOf({ ...good, model: { ...model, components } }, "model.components")?.outcome).toBe("proven");
  });
});

describe("is not proven", () => {
  it("where a line of the profile was not looked at", () => {
    expect(outcomeOf({ ...good, lines: good.lines.slice(1) }, "model.profile")?.outcome).toBe("not-proven");
  });

  it("by the lines of another profile", () => {
    const lines = profileLines({ profile: "eu-hosted" }).map((line) => ({ ...line, kept: true }));
    expect(outcomeOf({ ...good, lines }, "model.profile")?.outcome).toBe("not-proven");
  });
});
