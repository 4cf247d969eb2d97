import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Authority } from "../../certs/authority.ts";
import { issueCrl, type Revocation, readCrl, verifyCrl } from "../../certs/crl.ts";
import { LEAF_CLASSES, type LeafClass } from "../../certs/names.ts";
import { makersIn } from "./authorities-in-use.ts";
import { openAuthority } from "./authority-key.ts";
import type { AuthorityFiles } from "./authority-store.ts";
import { hostErrors } from "./errors.ts";
import { attributeOf, type HostLedger } from "./host-ledger.ts";
import { isRootElsewhere } from "./root-key.ts";
import type { StoreFiles } from "./store-files.ts";

const DAY_SECONDS = 86_400;

/** How long a list is good for and when its successor is made, in seconds: the root is asked seldom. */
const TIMES = {
  root: { lifetime: 180 * DAY_SECONDS, least: 30 * DAY_SECONDS },
  other: { lifetime: 7 * DAY_SECONDS, least: 5 * DAY_SECONDS },
} as const;

/** Days for which a certificate that has ended stays in its issuer's list. */
const KEPT_DAYS = 1;

/** What keeping the revocation lists needs. */
export interface CrlsRequest {
  readonly dir: string;
  readonly store: AuthorityFiles;
  readonly ledger: HostLedger;
  readonly files: StoreFiles;
  readonly clock: () => Date;
  /** Classes whose lists an online authority publishes: this host makes the first one alone, number 0. */
  readonly online: readonly LeafClass[];
}

/** The revocation lists of this host, by the names of their issuers. */
export interface HostCrls {
  /**
   * Makes every list that is missing, old, of another key, or does not have what the ledger has.
   * @throws ROOT_KEY_ELSEWHERE, after every other list is made, when the root's cannot be
   */
  readonly refresh: () => Promise<void>;
  /** Every list that this host alone publishes, PEM, those of predecessors and successors included. */
  readonly own: () => readonly string[];
  /** What the broker starts with, in one text: the lists of the root and of every class, and who signed them. */
  readonly bundle: () => string;
}

/** Keeps the lists in `crls/` beside the authorities. */
export function hostCrls(request: CrlsRequest): HostCrls {
  const { dir, store, files } = request;
  const fileOf = (name: string): string => join(dir, "crls", `${name}.pem`);
  const names = (): readonly string[] => ["root", ...LEAF_CLASSES, ...makersIn(dir).map((maker) => `makers/${maker}`)];
  const generations = (name: string): readonly string[] =>
    [name, `${name}.next`, `${name}.old`].filter((each) => store.read(each) !== undefined && existsSync(fileOf(each)));
  const all = (of: readonly string[]): readonly string[] =>
    of.flatMap(generations).map((name) => readFileSync(fileOf(name), "utf8"));

  const refreshOne = async (name: string, least: bigint): Promise<bigint> => {
    const issuerPem = store.read(name);
    if (issuerPem === undefined) return least;
    const held = existsSync(fileOf(name)) ? readFileSync(fileOf(name), "utf8") : undefined;
    const revoked = revokedBy(request, issuerPem);
    const state = held === undefined ? undefined : stateOf(held, issuerPem, revoked, name, request);
    if (state?.good === true) return state.number > least ? state.number : least;
    if (held !== undefined) assertNoneIsLost(held, request.ledger, fileOf(name));
    const base = name.replace(/\.next$/, "");
    // The predecessor's last list stays beside it for as long as its leaves may be shown.
    if (held !== undefined && state?.foreign === true && store.read(`${name}.old`) !== undefined) {
      files.write(fileOf(`${name}.old`), held);
    }
    const known = state !== undefined && state.number > least ? state.number : least;
    const number = request.online.some((each) => each === base) ? 0n : known + 1n;
    const signer = await signerOf(request, name).catch((thrown: unknown) => {
      // A root that is away signs when it is back; what it signed last says all there is, and is good for a while.
      if (isRootElsewhere(thrown) && state?.valid === true) return undefined;
      throw thrown;
    });
    if (signer === undefined) return known;
    const { pem } = await issueCrl(signer, {
      number,
      revoked,
      now: request.clock(),
      lifetimeSeconds: timesOf(name).lifetime,
    });
    files.write(fileOf(name), pem);
    return number;
  };

  return {
    async refresh() {
      await request.ledger.reload();
      let away: unknown;
      for (const name of names()) {
        try {
          // A successor that has taken its issuer's place had a list of its own: the numbers go on from there.
          const last = await refreshOne(name, numberIn(fileOf(`${name}.next`)));
          await refreshOne(`${name}.next`, last);
        } catch (thrown) {
          // The other lists end long before the root's: they do not wait for it.
          if (!isRootElsewhere(thrown)) throw thrown;
          away = thrown;
        }
      }
      if (away !== undefined) throw away;
    },
    own: () => all(names().filter((name) => !request.online.some((each) => each === name))),
    bundle: () => {
      const authorities = LEAF_CLASSES.flatMap(generations).map((name) => store.read(name));
      return [...authorities, ...all(["root", ...LEAF_CLASSES])].join("");
    },
  };
}

function numberIn(file: string): bigint {
  return existsSync(file) ? readCrl(readFileSync(file, "utf8")).number : 0n;
}

type Revoked = readonly Revocation[];

/** A list may only lose what has ended, and of that the ledger has the record: without it, a revoked certificate would count again. */
function assertNoneIsLost(held: string, ledger: HostLedger, path: string): void {
  const [unknown] = readCrl(held).revoked.filter(({ serial }) => !ledger.isRevoked(serial));
  if (unknown === undefined) return;
  const message = `the list revokes ${unknown.serial}, and the ledger has no record of that`;
  throw hostErrors.error("STATE_CORRUPT", message, { path });
}

function revokedBy({ ledger, clock }: CrlsRequest, issuerPem: string): Revoked {
  const issuer = attributeOf(new X509Certificate(issuerPem).subject, "CN");
  const since = clock().getTime() - KEPT_DAYS * DAY_SECONDS * 1000;
  return (
    ledger
      .revocations()
      // A root is taken out of what is trusted, and no list of another root names it.
      .filter((one) => one.issuer === issuer && one.subject !== issuer && one.notAfter.getTime() > since)
      .map(({ serial, at, reason }) => ({ serial, at, reason }))
  );
}

function stateOf(
  pem: string,
  issuerPem: string,
  revoked: Revoked,
  name: string,
  { clock }: CrlsRequest,
): { readonly good: boolean; readonly valid: boolean; readonly foreign: boolean; readonly number: bigint } {
  const now = clock();
  const findings = verifyCrl({ pem, issuerPem, now });
  const list = readCrl(pem);
  const left = (list.nextUpdate.getTime() - now.getTime()) / 1000;
  const listed = new Set(list.revoked.map(({ serial }) => serial));
  const complete = revoked.length === listed.size && revoked.every(({ serial }) => listed.has(serial));
  const valid = findings.length === 0 && complete;
  return {
    good: valid && left >= timesOf(name).least,
    valid,
    foreign: findings.some(({ code }) => code === "CRL_SIGNATURE"),
    number: list.number,
  };
}

function timesOf(name: string): (typeof TIMES)[keyof typeof TIMES] {
  return name === "root" || name === "root.next" ? TIMES.root : TIMES.other;
}

function signerOf({ dir, store }: CrlsRequest, name: string): Promise<Authority> {
  if (name === "root" || name === "root.next") return store.openRoot(name);
  return openAuthority(dir, name);
}
