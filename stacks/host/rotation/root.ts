import { ONLINE_CLASSES } from "../../../certs/step-ca/names.ts";
import { acceptedPins } from "../pins.ts";
import type { RotationContext } from "./context.ts";
import { proveElsewhere } from "./gateways-elsewhere.ts";
import type { Memo, Rotation } from "./machine.ts";
import { renderPeople } from "./people.ts";
import { pendingAnchors, pendingAuthority, pendingLeaves, pendingNextPin } from "./proof.ts";
import { dropTokensOfBefore } from "./token.ts";

/**
 * Another trust anchor. The issuing authorities keep their keys and get certificates of the new root, so that every leaf and
 * every revocation list of before stays good under both.
 */
export function rotateRoot(context: RotationContext): Rotation {
  const { store, fleet, ceremony } = context;
  const elsewhere = proveElsewhere(context);
  const tell = async (): Promise<void> => {
    await context.converge();
    await fleet.announce({ anchors: store.anchors(), pins: pinList(context) });
  };
  // The backend takes a root's list once it accepts the root.
  const publish = async (): Promise<void> => {
    await fleet.publishCrls(context.crls(), context.store.issuers());
  };
  return {
    what: "root",
    begin: async () => {
      await store.assertStageable("root", ceremony);
      return { old: store.fingerprint("root"), ...ceremonyMemo(context, "root") };
    },
    phases: {
      "add-new": {
        says: "make another root, and give both to every component and to the backend",
        act: async () => {
          await store.stageRoot(ceremony);
          const memo = { new: store.fingerprint("root.next") };
          await tell();
          return memo;
        },
      },
      "prove-trust": {
        says: "wait until every component accepts both roots, and every client of the broker the pin of its next key",
        pending: async (memo) => [
          ...(await pendingAnchors(fleet, { wanted: [memo.old ?? "", memo.new ?? ""] })),
          ...(await pendingNextPin(context)),
        ],
      },
      issue: {
        says: "have the new root sign the issuing authorities, and issue every leaf anew",
        act: async (memo) => {
          await store.promoteRoot(memo.new ?? "", ceremony);
          await tell();
          await publish();
          return {};
        },
      },
      "prove-use": {
        says: "wait until every component presents its new leaf, online authorities their new certificates, and gateways elsewhere theirs",
        pending: async () => {
          const issuers = ONLINE_CLASSES.map((online) => pendingAuthority(fleet, online, store.fingerprint(online)));
          return elsewhere([
            ...(await pendingLeaves(fleet, context.leafFiles)),
            ...(await Promise.all(issuers)).flat(),
          ]);
        },
      },
      "remove-old": {
        says: "take the old root out of every component's anchors, and revoke gateways' tokens of the leaves of before",
        act: async () => {
          store.dropOld("root");
          await tell();
          await publish();
          await dropTokensOfBefore(context);
          return {};
        },
        pending: (memo) => pendingAnchors(fleet, { wanted: [memo.new ?? ""], gone: [memo.old ?? ""] }),
      },
    },
  };
}

/** What a rotation of an authority notes at its beginning: who is there, and the place of a key that it makes needless. */
export function ceremonyMemo({ store, ceremony }: RotationContext, name: string): Memo {
  const oldKey = store.keyPlace(name);
  return { ...renderPeople(ceremony), ...(oldKey === undefined ? {} : { oldKey }) };
}

/** Every pin that clients of the broker are to accept. */
export function pinList({ pins }: RotationContext): readonly string[] {
  return acceptedPins(pins());
}
