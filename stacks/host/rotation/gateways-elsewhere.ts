import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { CertsSite } from "../certs-site.ts";
import { attributeOf } from "../host-ledger.ts";
import type { OperatorClient } from "../operator-client.ts";
import { acceptedPins } from "../pins.ts";
import type { RotationContext } from "./context.ts";
import type { Member } from "./fleet.ts";

/** Who is named while the backend does not say which gateways there are. */
export const UNLISTED = "gateways elsewhere (the backend does not list them)";

/** One line of the backend's list of gateways, as far as rotations go. */
interface ListedGateway {
  readonly name: string;
  readonly state: "active" | "revoked";
  /** RFC 3339; null where every certificate of it is revoked or expired. */
  readonly valid_until: string | null;
  readonly shown: { readonly authority_sha256: string | null } | null;
  readonly trust: { readonly anchors: readonly string[]; readonly broker_pins: readonly string[] } | null;
}

const NOTHING = { certificates: "none", clientAuthorities: "none", authority: "none" } as const;

/**
 * Every active gateway on the backend's record that has a certificate which holds, by what it said and showed last; and of those that
 * this host issued for, whom the backend has never heard of: nothing is known of them.
 * @param issuedHere gateways with a certificate of this host that holds
 */
export async function gatewaysOnRecord(
  operator: OperatorClient,
  issuedHere: readonly string[],
): Promise<readonly Member[]> {
  const listed = (await operator("GET", "/v1/gateways")) as readonly ListedGateway[];
  const unheardOf = issuedHere.filter((each) => listed.every(({ name }) => name !== each));
  return [...known(listed), ...unheardOf.map((name) => ({ ...unlisted(), name }))];
}

function known(listed: readonly ListedGateway[]): readonly Member[] {
  return listed
    .filter(({ state, valid_until }) => state === "active" && valid_until !== null)
    .map(({ name, shown, trust }) => ({
      ...NOTHING,
      name,
      anchors: trust?.anchors,
      // No pins: it looks at the broker's name alone.
      pins: trust?.broker_pins.length === 0 ? "none" : trust?.broker_pins,
      elsewhere: { authority: shown?.authority_sha256 ?? undefined },
    }));
}

/** Stands for gateways that nobody can name now: nothing is proven of them. */
export function unlisted(): Member {
  return { ...NOTHING, name: UNLISTED, anchors: undefined, pins: undefined, elsewhere: { authority: undefined } };
}

/** Names under which this host's own components appear at the backend: their own, and those in their leaves. */
export function namesHere(
  components: readonly { readonly name: string }[],
  leafFiles: (component: string) => readonly string[],
): ReadonlySet<string> {
  const commonName = (file: string): string =>
    attributeOf(new X509Certificate(readFileSync(file, "utf8")).subject, "CN");
  return new Set(components.flatMap(({ name }) => [name, ...leafFiles(name).map(commonName)]));
}

/**
 * The proof that gateways elsewhere use a leaf of the gateways' authority as it is now: what they showed the backend last. They
 * are told to renew once everybody else is done, since an online authority that still issues under the old certificate would
 * give them another old leaf.
 * @returns adds to those who are pending here the gateways elsewhere that are
 */
export function proveElsewhere(
  context: RotationContext,
): (pendingHere: readonly string[]) => Promise<readonly string[]> {
  let told = false;
  return async (pendingHere) => {
    const { store, fleet, pins } = context;
    const wanted = store.fingerprint("gateways");
    if (pendingHere.length === 0 && !told) {
      await fleet.announce({ anchors: store.anchors(), pins: acceptedPins(pins()), gatewayAuthorities: [wanted] });
      told = true;
    }
    const members = await fleet.members();
    const behind = members.filter(({ elsewhere }) => elsewhere !== undefined && elsewhere.authority !== wanted);
    return [...pendingHere, ...behind.map(({ name }) => name)];
  };
}

/** Rotations that gateways elsewhere take part in. */
const CONCERNING = ["root", "pin", "intermediate:gateways", "intermediate:services", "leaf:broker"];

/**
 * Names of the gateways elsewhere that a rotation waits for.
 * @param what as `--what` has it
 * @returns {@link UNLISTED} alone where the backend does not answer
 */
export async function concernedElsewhere(
  { model, pki, operator, clock }: Pick<CertsSite, "model" | "pki" | "operator" | "clock">,
  what: string,
): Promise<readonly string[]> {
  if (!CONCERNING.includes(what)) return [];
  const here = namesHere(model.components, pki.leafFiles);
  try {
    const found = await gatewaysOnRecord(await operator(), pki.ledger.gatewaysIssued(clock()));
    return found.map(({ name }) => name).filter((name) => !here.has(name));
  } catch {
    return [UNLISTED];
  }
}
