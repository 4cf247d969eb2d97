import type { LeafClass } from "../../../certs/names.ts";
import type { RotationContext } from "./context.ts";
import { proveElsewhere } from "./gateways-elsewhere.ts";
import type { Rotation } from "./machine.ts";
import { pendingAuthority, pendingClientAuthorities, pendingLeaves, pendingNextPin } from "./proof.ts";
import { ceremonyMemo } from "./root.ts";
import { dropTokensOfBefore } from "./token.ts";

/**
 * Another issuing authority of one class, with another key. Peers send it with their leaves, so nobody has to be given it; its
 * revocation list must be out before its first leaf is, since the broker refuses leaves of an issuer that it has no list of.
 */
export function rotateIntermediate(context: RotationContext, leafClass: LeafClass): Rotation {
  const { store, fleet, ceremony } = context;
  const elsewhere = proveElsewhere(context);
  return {
    what: `intermediate:${leafClass}`,
    begin: async () => {
      await store.assertStageable(leafClass, ceremony);
      return { old: store.fingerprint(leafClass), ...ceremonyMemo(context, leafClass) };
    },
    phases: {
      "add-new": {
        says: `have the root sign another authority of ${leafClass}, and publish its revocation list`,
        act: async () => {
          await store.stageIntermediate(leafClass, ceremony);
          await context.converge();
          await fleet.publishCrls(context.crls(), context.store.issuers());
          return { new: store.newest(leafClass) };
        },
      },
      "prove-trust": {
        says: "wait until the broker has the list, and until whoever names its clients' authority accepts the new one",
        pending: async (memo) => [
          ...(await fleet.pendingCrls(context.crls())),
          ...(leafClass === "services" ? await pendingClientAuthorities(fleet, { wanted: [memo.new ?? ""] }) : []),
          ...(leafClass === "services" ? await pendingNextPin(context) : []),
        ],
      },
      issue: {
        says: `issue every leaf of ${leafClass} anew`,
        act: async (memo) => {
          store.promoteIntermediate(leafClass, memo.new ?? "");
          await context.converge();
          return {};
        },
      },
      "prove-use": {
        says: "wait until every component presents its new leaf, the online authority issues with the new key, and gateways elsewhere have a leaf of it",
        pending: async (memo) => {
          const here = [
            ...(await pendingLeaves(fleet, context.leafFiles)),
            ...(await pendingAuthority(fleet, leafClass, memo.new ?? "")),
          ];
          return leafClass === "gateways" ? elsewhere(here) : here;
        },
      },
      "remove-old": {
        says: `revoke the old authority, and publish the root's list${leafClass === "gateways" ? "; revoke gateways' tokens of the leaves of before" : ""}`,
        act: async () => {
          // The root lists what is revoked: while its key is away, nothing is, and no list is incomplete.
          await store.openRoot();
          const old = store.read(`${leafClass}.old`);
          if (old !== undefined) await context.revoke(old, "superseded");
          store.dropOld(leafClass);
          await context.converge();
          await fleet.publishCrls(context.crls(), context.store.issuers());
          if (leafClass === "gateways") await dropTokensOfBefore(context);
          return {};
        },
        pending: async (memo) =>
          leafClass === "services" ? pendingClientAuthorities(fleet, { gone: [memo.old ?? ""] }) : [],
      },
    },
  };
}
