import { readFileSync } from "node:fs";
import type { LeafClass } from "../../../certs/names.ts";
import { certificatesIn } from "../pem.ts";
import type { RotationContext } from "./context.ts";
import type { Memo } from "./machine.ts";
import { pinList } from "./root.ts";
import type { RotationTarget } from "./target.ts";

/** How a rotation that has begun is given up. */
export interface Withdrawal {
  /** Whether the new is in use, or may be: then there is no way back. */
  readonly inUse: (memo: Memo) => boolean;
  /** Fingerprint of what was made, or empty. @default nothing was made that anybody could accept */
  readonly successor?: () => string;
  /** Takes the new out everywhere, and revokes what was issued of it. Done again after a death, it comes to the same. */
  readonly act: (memo: Memo) => Promise<void>;
  /**
   * Who says that it still accepts the new. Who says nothing reads its files when it starts, and a gateway elsewhere asks when it is
   * back. @default nobody
   */
  readonly pending?: (memo: Memo) => Promise<readonly string[]>;
}

/** Nothing of it is anywhere but where it stays: a pin that clients have had before, an old leaf, a token beside others. */
const nothing = async (): Promise<void> => undefined;

/** How the rotation of a target is given up. */
export function withdrawalOf(target: RotationTarget, context: RotationContext): Withdrawal {
  switch (target.kind) {
    case "root":
      return withdrawRoot(context);
    case "intermediate":
      return withdrawIntermediate(context, target.leafClass);
    case "leaf":
      return { inUse: (memo) => hasOtherLeaves(context, target.component, memo), act: nothing };
    case "pin":
      return { inUse: (memo) => memo.old !== undefined && context.pins().current !== memo.old, act: nothing };
    case "token":
      return { inUse: ({ new: id }) => id !== undefined, act: nothing };
  }
}

/** A component that is not there any more follows nothing: what is left is to revoke the leaves that were to be replaced. */
export function withdrawGone({ revoke, converge, fleet, crls, store }: RotationContext): Withdrawal {
  return {
    inUse: () => false,
    act: async (memo) => {
      const old = oldLeaves(memo);
      for (const pem of old) await revoke(pem, "cessationOfOperation");
      if (old.length === 0) return;
      await converge();
      await fleet.publishCrls(crls(), store.issuers());
    },
  };
}

function withdrawRoot(context: RotationContext): Withdrawal {
  const { store, fleet } = context;
  return {
    inUse: (memo) => isInPlace(context, "root", memo),
    successor: () => store.fingerprint("root.next"),
    act: async () => {
      const pem = store.read("root.next");
      // Nobody lists a root: it is taken out of what is trusted, and the ledger says so.
      if (pem !== undefined) await context.revoke(pem, "cessationOfOperation");
      store.dropNext("root");
      await context.converge();
      await fleet.announce({ anchors: store.anchors(), pins: pinList(context) });
    },
    pending: async (memo) => saying(fleet, memo, ({ anchors }) => anchors),
  };
}

function withdrawIntermediate(context: RotationContext, leafClass: LeafClass): Withdrawal {
  const { store, fleet } = context;
  return {
    inUse: (memo) => isInPlace(context, leafClass, memo),
    successor: () => store.fingerprint(`${leafClass}.next`),
    act: async () => {
      const pem = store.read(`${leafClass}.next`);
      if (pem !== undefined) {
        // The root lists it: while its key is away, nothing is changed.
        await store.openRoot();
        await context.revoke(pem, "cessationOfOperation");
      }
      store.dropNext(leafClass);
      await context.converge();
      await fleet.publishCrls(context.crls(), store.issuers());
    },
    pending: async (memo) => saying(fleet, memo, ({ clientAuthorities }) => clientAuthorities),
  };
}

function isInPlace({ store }: RotationContext, name: string, memo: Memo): boolean {
  return store.read(`${name}.old`) !== undefined || (memo.new !== undefined && store.fingerprint(name) === memo.new);
}

function hasOtherLeaves({ leafFiles }: RotationContext, component: string, memo: Memo): boolean {
  const old = oldLeaves(memo);
  return leafFiles(component).some((file) => !old.includes(certificatesIn(readFileSync(file, "utf8"))[0] ?? ""));
}

/** The leaves that a rotation of a component's leaves replaces, PEM. */
function oldLeaves(memo: Memo): readonly string[] {
  return Object.entries(memo).flatMap(([name, pem]) => (name.startsWith("old.") ? [pem] : []));
}

type Fleet = RotationContext["fleet"];
type Member = Awaited<ReturnType<Fleet["members"]>>[number];

async function saying(
  fleet: Fleet,
  { new: successor = "" }: Memo,
  accepted: (member: Member) => readonly string[] | "none" | undefined,
): Promise<readonly string[]> {
  const members = await fleet.members();
  return members
    .filter((member) => {
      if (member.elsewhere !== undefined) return false;
      const has = accepted(member);
      return has !== undefined && has !== "none" && has.includes(successor);
    })
    .map(({ name }) => name);
}
