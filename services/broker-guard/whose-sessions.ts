import { LEAF_CLASSES, type LeafClass, NAME_PREFIX } from "../../certs/names.ts";
import { normalSerial } from "../../certs/serial.ts";
import type { EndedSession } from "../runtime/broker-trust/feed.ts";

/** What {@link planEnds} decides from. */
export interface EndsRequest {
  readonly tenant: string;
  /** Sessions that the backend names and that were not ended yet. */
  readonly ended: readonly EndedSession[];
  /** Certificates that the lists revoke since the last time. */
  readonly revoked: readonly { readonly issuer: string; readonly serial: string }[];
  /** Mosquitto's ACL file, which names the users of the deployment. */
  readonly acl: string;
}

/** Whose sessions end. */
export interface Ends {
  /** Mosquitto's user names: whole subjects. */
  readonly users: readonly string[];
  /** Whether all sessions end, since nobody can say whose certificate was revoked, nor who could have it. */
  readonly everybody: boolean;
}

/**
 * Ends whom the backend names. For a revoked certificate of which it says nothing, all of the issuer's class have to show
 * their certificates again: who is not revoked is back at once.
 */
export function planEnds({ tenant, ended, revoked, acl }: EndsRequest): Ends {
  const users = new Set(ended.map(({ name }) => userOf(name, tenant)));
  const classes = LEAF_CLASSES.filter((leafClass) => hasUnnamed(leafClass, ended, revoked));
  const known = usersIn(acl);
  for (const leafClass of classes) for (const user of known) if (user.includes(`,OU=${leafClass},`)) users.add(user);
  // An operator may connect, and is in no ACL.
  return { users: [...users], everybody: classes.includes("operators") };
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

function hasUnnamed(leafClass: LeafClass, ended: readonly EndedSession[], revoked: EndsRequest["revoked"]): boolean {
  const named = ended.filter(({ name }) => name.startsWith(NAME_PREFIX[leafClass]));
  const serials = new Set(named.flatMap(({ serial }) => (serial === undefined ? [] : [normalSerial(serial)])));
  const unnamed = revoked.filter(({ issuer, serial }) => issuer === `TrustKern ${leafClass}` && !serials.has(serial));
  const withoutSerial = named.filter(({ reason, serial }) => reason === "certificate-revoked" && serial === undefined);
  return unnamed.length > withoutSerial.length;
}

function usersIn(acl: string): readonly string[] {
  return acl.split("\n").flatMap((line) => (line.startsWith("user ") ? [line.slice(5)] : []));
}
