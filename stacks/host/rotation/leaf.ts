import { readFileSync } from "node:fs";
import { certificatesIn, fingerprintOf } from "../pem.ts";
import { PINNED } from "../pins.ts";
import type { RotationContext } from "./context.ts";
import type { Memo, Rotation } from "./machine.ts";
import { pendingLeaves, pendingNextPin } from "./proof.ts";

/** Other leaves for one component; those of before are revoked once nobody presents them any more. */
export function rotateLeaf(context: RotationContext, component: string): Rotation {
  const { fleet, leafFiles } = context;
  const oldOf = (memo: Memo): readonly string[] =>
    Object.entries(memo).flatMap(([name, pem]) => (name.startsWith("old.") ? [pem] : []));
  return {
    what: `leaf:${component}`,
    begin: async () =>
      Object.fromEntries(leafFiles(component).map((file, index) => [`old.${index}`, leafIn(file)] as const)),
    phases: {
      "add-new": { says: "nothing: the authority is known to every peer already" },
      "prove-trust":
        component === PINNED
          ? {
              says: "wait until every client of the broker accepts the pin of its next key",
              pending: () => pendingNextPin(context),
            }
          : { says: "nothing: peers accept every leaf of the authority" },
      issue: {
        says: `issue the leaves of ${component} anew`,
        act: async (memo) => {
          await context.converge(new Set(oldOf(memo).map(fingerprintOf)));
          return {};
        },
      },
      "prove-use": {
        says: `wait until ${component} presents its new leaves`,
        pending: async () => (await pendingLeaves(fleet, leafFiles)).filter((name) => name === component),
      },
      "remove-old": {
        says: "revoke the leaves of before, and publish the list of their issuer",
        act: async (memo) => {
          for (const pem of oldOf(memo)) await context.revoke(pem, "superseded");
          await context.converge();
          await fleet.publishCrls(context.crls(), context.store.issuers());
          return {};
        },
      },
    },
  };
}

function leafIn(file: string): string {
  return certificatesIn(readFileSync(file, "utf8"))[0] ?? "";
}
