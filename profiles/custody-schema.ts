import { z } from "zod";
import { CUSTODY_CLASSES, CUSTODY_KINDS, CUSTODY_OWNERS, CUSTODY_PARTIES } from "../model/custody.ts";
import { absolutePath, DURATION, DURATION_TEXT, text, tokenMembers, whole } from "./fields.ts";
import { holdToKind } from "./kind-members.ts";

const operator = z.enum(CUSTODY_PARTIES).describe(`to whom it belongs: ${CUSTODY_PARTIES.join(", ")}`);

// A key's ARN or alias could lie elsewhere than region and account say, and a multi-Region key (mrk-…) has copies elsewhere.
const place = {
  ...tokenMembers,
  device: absolutePath("the TPM, such as /dev/tpmrm0, with kind tpm2"),
  pcrs: text(
    /^sha256:(?:1?\d|2[0-3])(?:,(?:1?\d|2[0-3])){0,23}$/,
    "PCRs of the sha256 bank that the keys are sealed to, such as sha256:0,2,4,7, with kind tpm2",
  ).exactOptional(),
  address: text(
    /^https:\/\/(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:]{2,39}\])(?::[1-9]\d{0,4})?$/,
    "https URL of the Vault or OpenBao server, without a path or credentials, with kind vault",
  ).exactOptional(),
  mount: text(
    /^[A-Za-z0-9_-]{1,64}(?:\/[A-Za-z0-9_-]{1,64}){0,3}$/,
    "path of the transit engine, such as transit, with kind vault",
  ).exactOptional(),
  key: text(/^[A-Za-z0-9_-]{1,128}$/, "name of the wrapping key, with kind vault").exactOptional(),
  tokenFile: absolutePath("the file with the server's token, with kind vault"),
  caFile: absolutePath("the server's authorities, with kind vault"),
  region: text(/^[a-z0-9][a-z0-9-]{0,62}$/, "region of the KMS, with kind aws-kms").exactOptional(),
  keyId: text(
    /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    "id of a symmetric key of one region, such as 1234abcd-12ab-34cd-56ef-1234567890ab and no ARN, alias or mrk-, with kind aws-kms",
  ).exactOptional(),
  account: text(/^\d{12}$/, "AWS account of the key: 12 digits in quotes, with kind aws-kms").exactOptional(),
};

const schedule = z
  .strictObject({
    rotateEvery: text(DURATION, `how long a generation is active: ${DURATION_TEXT}`).exactOptional(),
    overlap: text(
      DURATION,
      `how long sensors have the next generation before the active one is retired: ${DURATION_TEXT}`,
    ).exactOptional(),
  })
  .describe("when generations come and go: a map of rotateEvery, overlap");

const holder = z
  .strictObject({
    name: text(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/, "name of the holder: 1 to 32 of a-z 0-9 -, no - at an end"),
    operator,
    recipient: text(
      /^age1(?:pq1)?[02-9ac-hj-np-z]{58,2000}$/,
      "age recipient of the holder: age1 and what follows it",
    ).exactOptional(),
  })
  .describe("a map of name, operator, recipient");

const distinct = (values: readonly (string | undefined)[]) => {
  const said = values.filter((value) => value !== undefined);
  return new Set(said).size === said.length;
};

const escrow = z
  .strictObject({
    threshold: whole(2, 255, "how many shares restore a generation, at most as many as there are holders"),
    holders: z
      .array(holder)
      .min(2)
      .max(255)
      .refine((holders) => distinct(holders.map(({ name }) => name)))
      .refine((holders) => distinct(holders.map(({ recipient }) => recipient)))
      .describe("a list of 2 to 255 holders, no two with one name or one recipient"),
  })
  .superRefine(({ threshold, holders }, context) => {
    if (threshold > holders.length) {
      context.addIssue({ code: "custom", path: ["threshold"], message: "more than there are holders" });
    }
  })
  .describe("who holds shares of each generation: a map of threshold, holders");

const grant = z
  .strictObject({
    to: text(/^[\x21-\x7e]{1,256}$/, "role, grant or policy, such as an ARN: 1 to 256 printable ASCII characters"),
    operator,
  })
  .describe("a map of to, operator");

const terms = {
  class: z
    .enum(CUSTODY_CLASSES)
    .describe(`what has to protect the keys at the least: ${CUSTODY_CLASSES.join(", ")}`)
    .exactOptional(),
  acceptSoftware: text(
    /^[\x20-\x7e\u00a1-\u024f]{10,200}$/,
    "why software is good enough, which evidence shows: one line of 10 to 200 characters, with class software",
  ).exactOptional(),
  owner: z
    .enum(CUSTODY_OWNERS)
    .describe(`who controls the token, TPM, server or account: ${CUSTODY_OWNERS.join(", ")}`)
    .exactOptional(),
  schedule: schedule.exactOptional(),
  escrow: escrow.exactOptional(),
  grants: z
    .array(grant)
    .max(64)
    .describe("everybody else who may use the wrapping key or the token: a list of at most 64 grants")
    .exactOptional(),
};

const ofItsKind = holdToKind({
  needed: {
    pkcs11: ["module", "token", "pinFile"],
    tpm2: ["device"],
    vault: ["address", "mount", "key", "tokenFile"],
    "aws-kms": ["keyId"],
  },
  optional: { tpm2: ["pcrs"], vault: ["caFile"], "aws-kms": ["region", "account"] },
  common: Object.keys(terms),
});

/** The form of `custody` in `trustkern.yaml`: where the decryption keys are, and on what terms. */
export const custodySchema = z
  .strictObject({
    kind: z
      .enum(CUSTODY_KINDS)
      .describe(`where the decryption keys are: ${CUSTODY_KINDS.join(", ")}`)
      .exactOptional(),
    ...place,
    ...terms,
  })
  .superRefine(ofItsKind)
  .superRefine((custody, context) => {
    if (custody.acceptSoftware !== undefined && custody.class !== "software") {
      context.addIssue({ code: "custom", path: ["acceptSoftware"], message: "class software alone has it" });
    }
  })
  .describe(
    "where the decryption keys are: a map of kind, class, acceptSoftware, owner, schedule, escrow, grants, and with pkcs11 of module, token, pinFile, with tpm2 of device, pcrs, with vault of address, mount, key, tokenFile, caFile, with aws-kms of keyId, region, account",
  );
