import { type Authority, assertIssues, joinAuthority, loadAuthority } from "../authority.ts";
import { type CertificateTemplate, certify, issue } from "../issue.ts";
import type { LoadedKey } from "../keys.ts";
import { makerNameConstraints, nameConstraints } from "../name-constraints.ts";
import { assertMaker, type LeafClass } from "../names.ts";
import { authoritySubject, MAKER_NAME, makerSubject } from "../subject.ts";
import { planValidity } from "../validity.ts";
import { authorityExtensions, type IssuedAuthority } from "./root.ts";

/** What an issuing authority is made from. */
export type IntermediateRequest = {
  readonly now: Date;
  /** Seconds, from 1 hour. @default and most: 5 years, a maker's 15 years */
  readonly lifetimeSeconds?: number | undefined;
  /** PKCS #8 PEM of a key that exists already, as when a new root signs an authority anew. It is a secret. @default a new key */
  readonly keyPem?: string | undefined;
} & (
  | {
      /** The class of leaves that it will issue, and no other. */
      readonly leafClass: LeafClass;
      /**
       * Namespace of the deployment in its cluster, whose Services the authority of services may name too; the others have none.
       * @default none: it is in no cluster
       */
      readonly namespace?: string | undefined;
    }
  | {
      /** The maker whose devices it will name, and no other's: one lower-case DNS label. */
      readonly maker: string;
    }
);

/**
 * Has the root sign the issuing authority of one class of leaves, or of one maker's devices, with a key on P-256:
 * path length 0, names constrained to the class or the maker.
 * @throws CERT_ISSUER_WRONG, CERT_NAME_INVALID, CERT_LIFETIME_RANGE, CERT_OUTLIVES_ISSUER
 */
export async function issueIntermediate(root: Authority, request: IntermediateRequest): Promise<IssuedAuthority> {
  const issued = await issue(template(root, request), root);
  return { authority: await loadAuthority(issued, label(request)), event: issued.event };
}

/**
 * Has the root sign an issuing authority whose key a token, a KMS or a file already holds: also how a key gets a certificate
 * of a new root.
 * @throws CERT_ISSUER_WRONG, CERT_NAME_INVALID, CERT_LIFETIME_RANGE, CERT_OUTLIVES_ISSUER
 */
export async function certifyIntermediate(
  root: Authority,
  key: LoadedKey,
  request: IntermediateRequest,
): Promise<IssuedAuthority<Authority>> {
  const { certPem, event } = await certify(template(root, request), key.publicKeySpki, root);
  return { authority: joinAuthority(certPem, key, label(request)), event };
}

function label(request: IntermediateRequest): string {
  return "maker" in request ? `makers/${request.maker}` : request.leafClass;
}

function template(root: Authority, request: IntermediateRequest): CertificateTemplate {
  assertIssues(root, "root");
  const { now, lifetimeSeconds, keyPem } = request;
  const { tenant } = root;
  const dates = { now, lifetimeSeconds, issuerNotAfter: root.certificate.notAfter };
  if ("maker" in request) {
    const { maker } = request;
    assertMaker(maker);
    return {
      tenant,
      now,
      keyPem,
      name: `${MAKER_NAME}${maker}`,
      subject: makerSubject(tenant, maker),
      validity: planValidity({ ...dates, lifetimeClass: "maker" }),
      extensions: [...authorityExtensions(0), makerNameConstraints(maker, tenant)],
    };
  }
  const { leafClass, namespace } = request;
  return {
    tenant,
    now,
    keyPem,
    name: `TrustKern ${leafClass}`,
    subject: authoritySubject(tenant, leafClass),
    validity: planValidity({ ...dates, lifetimeClass: "intermediate" }),
    extensions: [...authorityExtensions(0), nameConstraints(leafClass, tenant, namespace)],
  };
}
