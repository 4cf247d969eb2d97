import { afterAll, afterEach, beforeAll } from "vitest";
import { ModelFleet } from "./model-fleet.ts";

/**
 * Fleets for the tests of a file or a group: each a copy of one that is made once, since making authorities takes long. All of
 * them are removed in the end.
 * @param options of {@link ModelFleet.make}
 */
export function testFleets(...options: Parameters<typeof ModelFleet.make>): () => ModelFleet {
  const fleets: ModelFleet[] = [];
  let first: ModelFleet;
  beforeAll(async () => {
    first = await ModelFleet.make(...options);
  });
  afterAll(() => first.remove());
  afterEach(() => {
    for (const fleet of fleets.splice(0)) fleet.remove();
  });
  return () => {
    const fleet = ModelFleet.copyOf(first);
    fleets.push(fleet);
    return fleet;
  };
}
