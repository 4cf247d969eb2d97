import type { Constraint } from "./profile.ts";

/** Lines of every profile. */
export const CUSTODY_EVERYWHERE: readonly Constraint[] = [
  {
    topic: "custody",
    path: "custody.class",
    when: { path: "custody.kind", values: ["file", "vault"] },
    rule: { kind: "one-of", values: ["software"] },
    reason:
      "a file and a transit engine are software, and custody opens no place of keys that is worse than the class that is asked for",
  },
  {
    topic: "custody",
    path: "custody.schedule.overlap",
    rule: { kind: "shorter-than", path: "custody.schedule.rotateEvery" },
    reason: "a generation would have to be made before the one before it is active",
  },
];

/** Lines of every profile but `dev`; the longest cryptoperiod is the profile's. */
export function custodyOutsideDev(rotateAtMost: string, why: string): readonly Constraint[] {
  return [
    ...CUSTODY_EVERYWHERE,
    {
      topic: "custody",
      path: "custody.acceptSoftware",
      when: { path: "custody.class", values: ["software"] },
      rule: { kind: "required" },
      reason:
        "keys that software protects can be copied by whoever has the machine; evidence shows why that is accepted",
    },
    {
      topic: "custody",
      path: "custody.token",
      when: { path: "custody.kind", values: ["pkcs11"] },
      rule: { kind: "other-than", path: "pki.issuing.token" },
      reason:
        "the online authorities are outside of the boundary and have the PIN of their token, so they could decrypt",
    },
    {
      topic: "custody",
      path: "custody.schedule.rotateEvery",
      rule: { kind: "lasts", min: "30d", max: rotateAtMost },
      reason: `${why}; a sensor that sleeps for weeks has to be told of each generation`,
    },
    {
      topic: "custody",
      path: "custody.schedule.overlap",
      rule: { kind: "lasts", min: "72h", max: "90d" },
      reason: "a gateway can be cut off for 72 h before it says so, and new keys reach its sensors through it alone",
    },
  ];
}

/** Lines of profiles in which nobody but the customer may be able to decrypt. */
export const CUSTOMER_ALONE: readonly Constraint[] = [
  {
    topic: "custody",
    path: "custody.owner",
    rule: { kind: "one-of", values: ["customer"] },
    reason:
      "who controls the token, the TPM, the server or the account can decrypt, and that may be the customer alone",
  },
  {
    topic: "custody",
    path: "custody.escrow.holders.*.operator",
    rule: { kind: "one-of", values: ["customer"] },
    reason: "shares restore the private key, so each stays with the customer",
  },
  {
    topic: "custody",
    path: "custody.grants.*.operator",
    rule: { kind: "one-of", values: ["customer"] },
    reason: "whoever may use the place of the keys can decrypt",
  },
];
