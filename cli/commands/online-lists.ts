import { z } from "zod";
import { verifyCrl } from "../../certs/crl.ts";
import type { OnlineClass } from "../../certs/names.ts";
import { crlUrl } from "../../certs/step-ca/names.ts";
import { messageOf } from "../../shared/errors.ts";
import type { CertsSite } from "../../stacks/host/certs-site.ts";

/** A class whose list could not be had. */
export interface MissingList {
  /** Common name of the authority that publishes it. */
  readonly issuer: string;
  /** Where the authority publishes it. */
  readonly url: string;
  readonly why: string;
}

/** The lists of authorities that run, which publish them themselves. */
export interface OnlineLists {
  /** PEM, each verified: it is whole, in date, and signed by an authority of this deployment. */
  readonly pems: readonly string[];
  readonly missing: readonly MissingList[];
}

const answered = z.object({ crls: z.array(z.object({ issuer: z.string(), pem: z.string() })) });

/**
 * Asks the backend for the lists of these classes: it takes each from its authority. Never rejects: what cannot be had is named, with
 * where it stands.
 * @param classes those that an online authority issues in this deployment
 */
export async function onlineLists(
  { operator, pki, tenant, clock }: Pick<CertsSite, "operator" | "pki" | "tenant" | "clock">,
  classes: readonly OnlineClass[],
): Promise<OnlineLists> {
  if (classes.length === 0) return { pems: [], missing: [] };
  const issuerOf = (leafClass: OnlineClass): string => `TrustKern ${leafClass}`;
  try {
    const { crls } = answered.parse(await (await operator())("GET", "/v1/crls"));
    const isGood = (pem: string): boolean =>
      pki.store.issuers().some((issuerPem) => verifyCrl({ pem, issuerPem, now: clock() }).length === 0);
    const good = crls.filter(({ issuer, pem }) => classes.some((each) => issuerOf(each) === issuer) && isGood(pem));
    const lacking = classes.filter((each) => !good.some(({ issuer }) => issuer === issuerOf(each)));
    return {
      pems: good.map(({ pem }) => `${pem.trim()}\n`),
      missing: lacking.map((each) => missing(each, "the backend has none that is in date")),
    };
  } catch (thrown) {
    return { pems: [], missing: classes.map((each) => missing(each, messageOf(thrown))) };
  }

  function missing(leafClass: OnlineClass, why: string): MissingList {
    return { issuer: issuerOf(leafClass), url: crlUrl(leafClass, tenant), why };
  }
}
