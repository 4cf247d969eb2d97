import { expect, it } from "vitest";
import { PROFILE_NAMES } from "../../model/deployment.ts";
import { PROFILES } from "../../profiles/index.ts";
import { CHECKS } from "./checks.ts";

it.each(PROFILE_NAMES)("has every check that profile %s names for what no file can keep", (name) => {
  const named = PROFILES[name].assurances.map(({ heldBy }) => heldBy).filter((heldBy) => heldBy !== "deploy");
  expect(Object.keys(CHECKS)).toEqual(expect.arrayContaining(named));
});
