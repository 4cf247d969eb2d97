import { readFileSync } from "node:fs";
import type { LeafClass } from "../../../certs/names.ts";
import { stepCaComponent } from "../../../certs/step-ca/names.ts";
import { fingerprintsOf } from "../pem.ts";
import type { RotationContext } from "./context.ts";
import type { Fleet, Member } from "./fleet.ts";

/** Members that do not accept all of these anchors, and those that accept one which they should not. */
export async function pendingAnchors(
  fleet: Fleet,
  { wanted = [], gone = [] }: { readonly wanted?: readonly string[]; readonly gone?: readonly string[] },
): Promise<readonly string[]> {
  return pending(fleet, ({ anchors }) => follows(anchors, wanted, gone));
}

/** Members that name their clients' authorities, and do not accept all of these; and those that accept one which they should not. */
export async function pendingClientAuthorities(
  fleet: Fleet,
  { wanted = [], gone = [] }: { readonly wanted?: readonly string[]; readonly gone?: readonly string[] },
): Promise<readonly string[]> {
  return pending(fleet, ({ clientAuthorities }) => follows(clientAuthorities, wanted, gone));
}

/** The online authority of a class, while it issues with another authority than this one. */
export async function pendingAuthority(fleet: Fleet, leafClass: LeafClass, wanted: string): Promise<readonly string[]> {
  // Services get their leaves from this host.
  if (leafClass === "services") return [];
  const issuer = stepCaComponent(leafClass);
  return (await pending(fleet, ({ authority }) => follows(authority, [wanted], []))).filter((name) => name === issuer);
}

/** Members that do not accept all of these pins of the broker, and those that accept one which they should not. */
export async function pendingPins(
  fleet: Fleet,
  { wanted = [], gone = [] }: { readonly wanted?: readonly string[]; readonly gone?: readonly string[] },
): Promise<readonly string[]> {
  return pending(fleet, ({ pins }) => follows(pins, wanted, gone));
}

/** Clients of the broker that do not accept its next key yet, which its next leaf is for. */
export async function pendingNextPin({
  fleet,
  pins,
}: Pick<RotationContext, "fleet" | "pins">): Promise<readonly string[]> {
  return pendingPins(fleet, { wanted: [pins().next] });
}

/** Members that present another leaf than the one in their files. */
export async function pendingLeaves(
  fleet: Fleet,
  leafFiles: (component: string) => readonly string[],
): Promise<readonly string[]> {
  return pending(fleet, ({ name, certificates }) => {
    const wanted = leafFiles(name).map((file) => fingerprintsOf(readFileSync(file, "utf8"))[0] ?? "");
    return follows(certificates, wanted, []);
  });
}

function follows(has: Member["anchors"], wanted: readonly string[], gone: readonly string[]): boolean {
  if (has === "none") return true;
  return has !== undefined && wanted.every((one) => has.includes(one)) && !gone.some((one) => has.includes(one));
}

async function pending(fleet: Fleet, isDone: (member: Member) => boolean): Promise<readonly string[]> {
  return (await fleet.members()).filter((member) => !isDone(member)).map(({ name }) => name);
}
