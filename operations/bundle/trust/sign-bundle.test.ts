import { describe, expect, it } from "vitest";
import { decideTrust } from "./decide.ts";
import { signBundle } from "./sign-bundle.ts";
import { installRoot, readSiteTrust, recordSeen } from "./site.ts";
import { head, MADE_AT, people, question, rootFacts, scratch, signedRoot } from "./test-trust.ts";

const { anna, bert, root } = await people("anna", "bert", "root");
const first = await signedRoot(rootFacts({ anna, bert }, { root }), root);

describe("signing a bundle", () => {
  it("gives what a site takes", async () => {
    using place = scratch();
    const job = { ...head(), roots: [first], folder: place.in("bundle"), now: MADE_AT };
    const { slot, statement } = await signBundle(job, [anna]);
    expect(statement.predicate.version).toBe(1);
    installRoot(place.in("site"), first, { dryRun: false });
    const site = readSiteTrust(place.in("site"));
    const decision = decideTrust(question({ ...head(), slot, siteRoot: site.root }, { seen: site.seen }));
    expect(decision.signers.map(({ name }) => name)).toEqual(["anna"]);
    recordSeen(place.in("site"), decision);
    expect(readSiteTrust(place.in("site")).seen).toMatchObject({ version: 1, deployment: "plant" });
  });
});
