import { expect, it } from "vitest";
import { profileLines } from "../../profiles/lines.ts";
import { resolveDeployment } from "../../profiles/resolve.ts";
import { type BoundaryOptions, verifyBoundary } from "./boundary.ts";
import { checksOf, LAYERS, type Layer } from "./checks.ts";
import { verdictOf } from "./result.ts";

const heard: Layer[] = [];
let second = 0;
const options: BoundaryOptions = {
  deployment: resolveDeployment({ name: "demo", tenant: "acme", profile: "dev" }),
  lines: profileLines({ profile: "dev" }),
  docker: undefined,
  clock: () => new Date(Date.UTC(2026, 0, 1, 0, 0, second++)),
  onLayer: (layer) => heard.push(layer),
};

it("looks at the model alone where no engine keeps components apart", async () => {
  const verification = await verifyBoundary(options);
  expect(verification.layers).toEqual(LAYERS);
  const seen = verification.results.filter(({ outcome }) => outcome !== "not-proven");
  expect(seen.map(({ id }) => id)).toEqual(checksOf("model"));
  expect(verdictOf(verification)).toBe("not-proven");
});

it("goes through the layers in their order, with each check once, and says when", async () => {
  heard.length = 0;
  const verification = await verifyBoundary({ ...options, layers: ["data", "model", "running", "rendered", "data"] });
  expect(heard).toEqual(LAYERS);
  expect(verification.results.map(({ id }) => id)).toEqual(LAYERS.flatMap(checksOf));
  expect(verification.endedAt > verification.startedAt).toBe(true);
});

it("breaks where a line of the profile is not kept", async () => {
  const [first, ...others] = options.lines;
  const lines = first === undefined ? [] : [{ ...first, kept: false }, ...others];
  const { results } = await verifyBoundary({ ...options, lines });
  expect(results.filter(({ outcome }) => outcome === "broken").map(({ id }) => id)).toEqual(["model.profile"]);
});
