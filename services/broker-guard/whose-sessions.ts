import { LEAF_CLASSES, type LeafClass, NAME_PREFIX } from "../../certs/names.ts";
import { normalSerial } from "../../certs/serial.ts";
import type { EndedSession } from "../runtime/broker-trust/feed.ts";

/** What {@link planEnds} decides from. */
export interface EndsRequest {
  readonly tenant: string;
  /** Sessions that the backend names. */
  readonly ended: readonly EndedSession[];
  /** The last of them that was ended before. */
  readonly after: number;
  /** Certificates that the lists revoke since the last time. */
  readonly revoked: readonly { readonly issuer: string; readonly serial: string }[];
  /** Mosquitto's ACL file, which names the users of the deployment. */
  readonly acl: string;
}

/** Whose sessions end. */
export interface Ends {
  /** What the backend named of them. */
  readonly named: readonly EndedSession[];
  /** Mosquitto's user names: whole subjects. */
  readonly users: readonly string[];
  /** Whether all sessions end, since nobody can say whose certificate was revoked, nor who could have it. */
  readonly everybody: boolean;
}

/**
 * Ends whom the backend names, and once more when a list has the certificate that it named: until then its holder could come
 * back. For a revoked certificate of which it says nothing, all of the issuer's class have to show
 * their certificates again: who is not revoked is back at once.
 */
export function planEnds({ tenant, ended, after, revoked, acl }: EndsRequest): Ends {
  const listed = new Set(revoked.map(({ serial }) => serial));
  const named = ended.filter(
    ({ seq, serial }) => seq > after || (serial !== undefined && listed.has(normalSerial(serial))),
  );
  const users = new Set(named.map(({ name }) => userOf(name, tenant)));
  const classes = LEAF_CLASSES.filter((leafClass) => hasUnnamed(leafClass, named, revoked));
  const known = usersIn(acl);
  for (const leafClass of classes) for (const user of known) if (user.includes(`,OU=${leafClass},`)) users.add(user);
  // An operator may connect, and is in no ACL.
  return { named, users: [...users], everybody: classes.includes("operators") };
}

/** Mosquitto's name of a client: its certificate's subject as RFC 2253 writes it, from its end. */
function userOf(name: string, tenant: string): string {
  const leafClass = LEAF_CLASSES.find((each) => name.startsWith(NAME_PREFIX[each]));
  return `CN=${name},OU=${leafClass},O=${tenant}`;
}

/** The common name in Mosquitto's name of a client. */
export function nameOf(user: string): string {
  return /^CN=([^,]+)/.exec(user)?.[1] ?? user;
}

function hasUnnamed(leafClass: LeafClass, all: readonly EndedSession[], revoked: EndsRequest["revoked"]): boolean {
  const named = all.filter(({ name }) => name.startsWith(NAME_PREFIX[leafClass]));
  const serials = new Set(named.flatMap(({ serial }) => (serial === undefined ? [] : [normalSerial(serial)])));
  const unnamed = revoked.filter(({ issuer, serial }) => issuer === `TrustKern ${leafClass}` && !serials.has(serial));
  const withoutSerial = named.filter(({ reason, serial }) => reason === "certificate-revoked" && serial === undefined);
  return unnamed.length > withoutSerial.length;
}

function usersIn(acl: string): readonly string[] {
  return acl.split("\n").flatMap((line) => (line.startsWith("user ") ? [line.slice(5)] : []));
}
