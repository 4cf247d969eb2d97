/** Where the decryption keys can be; `file` is software, and for profile `dev` or a stated reason. */
export const CUSTODY_KINDS = ["file", "pkcs11", "tpm2", "vault", "aws-kms"] as const;

/** What protects keys at rest, the best first. SoftHSM and swtpm are `software`; a cloud's virtual TPM is `virtual`. */
export const CUSTODY_CLASSES = ["hardware", "virtual", "software"] as const;

/** One of {@link CUSTODY_CLASSES}. */
export type CustodyClass = (typeof CUSTODY_CLASSES)[number];

/** To whom a share, a grant, a token or an account can belong. */
export const CUSTODY_PARTIES = ["customer", "trustkern", "partner"] as const;

/** One of {@link CUSTODY_PARTIES}. */
export type CustodyParty = (typeof CUSTODY_PARTIES)[number];

/** Who can control the place of the keys: a party, or in profile `dev` whoever runs the deployment. */
export const CUSTODY_OWNERS = ["self", ...CUSTODY_PARTIES] as const;

/** One of {@link CUSTODY_OWNERS}. */
export type CustodyOwner = (typeof CUSTODY_OWNERS)[number];

/** The transit engine of a Vault or OpenBao server: it wraps the keys, and opens them again by policy. */
export interface VaultTransit {
  readonly kind: "vault";
  /** `https` URL of the server, without a path. */
  readonly address: string;
  /** Path of the transit engine. */
  readonly mount: string;
  /** Name of the wrapping key. */
  readonly key: string;
  /** Absolute path of the file with the token. */
  readonly tokenFile: string;
  /** Absolute path of the authorities' certificates; the system's own where it is missing. */
  readonly caFile?: string | undefined;
}

/** A symmetric key of AWS KMS, of one region: it wraps the keys. */
export interface KmsWrappingKey {
  readonly kind: "aws-kms";
  readonly region: string;
  /** ARN of the key, so that no other account's can stand in for it; its id alone where no AWS account is known. */
  readonly keyId: string;
  /** AWS account of the key. */
  readonly account: string;
}

/** When generations come and go. */
export interface RotationSchedule {
  /** From the activation of a generation to that of the next one. */
  readonly rotateEverySeconds: number;
  /** How long sensors have the next generation before the active one is retired, at the least. */
  readonly overlapSeconds: number;
  /** From the day a generation is retired to the first day it may be destroyed. */
  readonly destroyAfterSeconds: number;
}

/** Who holds a share of the escrow. */
export interface EscrowHolder {
  readonly name: string;
  readonly operator: CustodyParty;
  /** age recipient (`age1…`) that the share is encrypted to. @default the share is printed */
  readonly recipient?: string | undefined;
}

/** How many shares restore a generation, and who has them. */
export interface Escrow {
  /** 2 to the number of holders. */
  readonly threshold: number;
  /** 2 to 255. */
  readonly holders: readonly EscrowHolder[];
}

/** Whoever else may use the place of the keys: a KMS grant or role, a Vault policy. */
export interface CustodyGrant {
  /** Its name there, such as an ARN. */
  readonly to: string;
  readonly operator: CustodyParty;
}

/** What is said of the decryption keys, wherever they are. */
export interface CustodyTerms {
  /** Custody opens no place of keys that is worse. */
  readonly leastClass: CustodyClass;
  /** Why `software` is good enough, in the operator's words; evidence and `status` show it. */
  readonly acceptSoftware?: string | undefined;
  /** Who controls the token, the TPM, the server or the account. */
  readonly owner: CustodyOwner;
  readonly schedule: RotationSchedule;
  /** Missing where generations are not in escrow: whoever loses the place of the keys has lost what they open. */
  readonly escrow?: Escrow | undefined;
  readonly grants: readonly CustodyGrant[];
}
