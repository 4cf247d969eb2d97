/** What one component has in force now, by its own word or by what is known of its start. */
export interface Member {
  readonly name: string;
  /**
   * SHA-256 of every trust anchor that it accepts, lower-case hex; undefined while it does not say.
   * `none` for a component that has no anchors.
   */
  readonly anchors: readonly string[] | "none" | undefined;
  /** SHA-256 of every leaf that it presents; undefined while it does not say, `none` where it has none. */
  readonly certificates: readonly string[] | "none" | undefined;
  /** SHA-256 of every authority that its clients may be under, where it names them; undefined while it does not say. */
  readonly clientAuthorities: readonly string[] | "none" | undefined;
  /**
   * SHA-256 of the authority that it issues with, where it is an issuer; undefined while it does not show one, `none` for every
   * other component.
   */
  readonly authority: readonly string[] | "none" | undefined;
  /** Pins of the broker that it accepts; undefined while it does not say, `none` where it is no client of the broker. */
  readonly pins: readonly string[] | "none" | undefined;
  /**
   * SHA-256 of the authority above the leaf that a gateway elsewhere showed the backend last, undefined while it showed none; of what
   * this host runs there is no such member. Of a gateway elsewhere nothing is known but its own word and what it showed.
   */
  readonly elsewhere?: { readonly authority: string | undefined };
}

/** A gateway's token, as the backend lists it: never the token itself. */
export interface TokenLine {
  readonly id: string;
  /** SHA-256 of the certificate that it is bound to, lower-case hex. */
  readonly certificate: string;
  readonly revoked: boolean;
  /** Whether it has been used since it was issued. */
  readonly used: boolean;
}

/** Everything that a rotation has to reach beyond the files of this host. */
export interface Fleet {
  /** What every component has in force, and every gateway on the backend's record that runs elsewhere. */
  readonly members: () => Promise<readonly Member[]>;
  /** Has these components take what their files say now: one that watches them does so alone. */
  readonly apply: (components: readonly string[]) => Promise<void>;
  /**
   * Gives the backend the anchors (PEM) and pins that gateways are to accept, and the authorities (SHA-256) whose leaves they need not
   * renew; without a word about these, those that it has stay.
   */
  readonly announce: (trust: {
    readonly anchors: readonly string[];
    readonly pins: readonly string[];
    readonly gatewayAuthorities?: readonly string[];
  }) => Promise<void>;
  /** Gives the backend revocation lists and who signed them, PEM; the broker takes them from there. */
  readonly publishCrls: (crls: readonly string[], issuers: readonly string[]) => Promise<void>;
  /** Who works with an older revocation list than one of these, by their numbers and issuers' keys. */
  readonly pendingCrls: (crls: readonly string[]) => Promise<readonly string[]>;
  /** Has the backend issue another token for the certificate that a gateway shows, beside those that it has. */
  readonly newToken: (gateway: string) => Promise<{ readonly id: string; readonly token: string }>;
  readonly tokens: (gateway: string) => Promise<readonly TokenLine[]>;
  readonly revokeToken: (gateway: string, id: string) => Promise<void>;
}
