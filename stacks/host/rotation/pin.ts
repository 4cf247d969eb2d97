import { readFileSync } from "node:fs";
import { fingerprintsOf } from "../pem.ts";
import { PINNED } from "../pins.ts";
import type { RotationContext } from "./context.ts";
import type { Rotation } from "./machine.ts";
import { pendingLeaves, pendingPins } from "./proof.ts";
import { pinList } from "./root.ts";

/** Another key for the broker: the one whose pin its clients have had since the last time. */
export function rotatePin(context: RotationContext): Rotation {
  const { fleet, store } = context;
  const tell = async (expired?: ReadonlySet<string>): Promise<void> => {
    await context.converge(expired);
    await fleet.announce({ anchors: store.anchors(), pins: pinList(context) });
  };
  return {
    what: "pin",
    begin: async () => {
      const { current = "", next } = context.pins();
      return { old: current, new: next };
    },
    phases: {
      "add-new": {
        says: "give the pin of the next key to every client of the broker and to the backend",
        act: async () => {
          await tell();
          return {};
        },
      },
      "prove-trust": {
        says: "wait until every client of the broker accepts both pins",
        pending: (memo) => pendingPins(fleet, { wanted: [memo.old ?? "", memo.new ?? ""] }),
      },
      issue: {
        says: "have the broker use the next key, and make the one after it",
        act: async (memo) => {
          const inUse = context
            .leafFiles(PINNED)
            .flatMap((file) => fingerprintsOf(readFileSync(file, "utf8")).slice(0, 1));
          await tell(context.pins().current === memo.old ? new Set(inUse) : undefined);
          return {};
        },
      },
      "prove-use": {
        says: "wait until the broker shows its new key",
        pending: async () => (await pendingLeaves(fleet, context.leafFiles)).filter((name) => name === PINNED),
      },
      "remove-old": {
        says: "take the pin of the key before out of every client",
        act: async () => {
          context.dropPreviousPin();
          await tell();
          return {};
        },
        pending: (memo) => pendingPins(fleet, { wanted: [memo.new ?? ""], gone: [memo.old ?? ""] }),
      },
    },
  };
}
