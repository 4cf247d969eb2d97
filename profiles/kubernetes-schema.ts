import { z } from "zod";
import { EXTERNAL_PARTS, SERVICE_KINDS } from "../model/kubernetes.ts";
import { absolutePath, text, whole } from "./fields.ts";
import { isUnroutedNetwork, UNROUTED_TEXT } from "./on-site.ts";
import { SIZE_PATTERN } from "./size.ts";

/** A name as Kubernetes takes it for a namespace (RFC 1123, section 2.1). */
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** The cluster's own namespaces have Services that no deployment may be taken for, the API server's in `default`. */
const OWN_NAMESPACE = /^(?!default$|kube-)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const LABEL_KEY = /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

/** Prefix length that a network of peers has at least: what is larger than a /16 is no place of one server. */
const LEAST_PREFIX = 16;

/** Where names are asked for, and the last port that other services are known by. */
const DNS_PORT = 53;
const WELL_KNOWN = 1023;

const prefixOf = (network: string): number => Number(network.split("/")[1]);

const networks = (what: string, leastPrefix = 0) =>
  z
    .array(z.cidrv4().describe("an IPv4 network in CIDR form, such as 10.20.0.0/24"))
    .min(1)
    .max(32)
    .refine((list) => list.every((network) => prefixOf(network) >= leastPrefix))
    .describe(
      `${what}: a list of 1 to 32 IPv4 networks${leastPrefix > 0 ? ` of /${leastPrefix} or smaller` : ""}, such as 10.20.0.0/24`,
    )
    .exactOptional();

const peerMembers = {
  addresses: networks("its addresses, outside of the cluster", LEAST_PREFIX),
  namespace: text(LABEL, "namespace of its pods: 1 to 63 of a-z 0-9 -").exactOptional(),
  labels: z
    .record(
      z.string().regex(LABEL_KEY),
      text(LABEL_VALUE, "a label and its value, as Kubernetes takes them: [prefix/]name: value, of A-Z a-z 0-9 . _ -"),
    )
    .refine((labels) => Object.keys(labels).length > 0)
    .describe("labels that its pods have all of, with namespace: a map of at least one label to its value")
    .exactOptional(),
};

interface Place {
  readonly addresses?: unknown;
  readonly namespace?: unknown;
  readonly labels?: unknown;
}

/** By its addresses or by its pods, and not by both: a policy names one of them. */
function holdToPlace(value: Place, context: z.core.$RefinementCtx): void {
  const issue = (member: keyof Place, message: string) => context.addIssue({ code: "custom", path: [member], message });
  if (value.addresses === undefined && value.namespace === undefined) {
    issue("addresses", "a network policy needs addresses, or namespace and labels");
  }
  if (value.addresses !== undefined && value.namespace !== undefined) issue("namespace", "addresses are said already");
  if (value.addresses !== undefined && value.labels !== undefined) issue("labels", "addresses are said already");
  if (value.namespace !== undefined && value.labels === undefined) issue("labels", "a namespace alone is all its pods");
}

const peers = (what: string) =>
  z
    .strictObject(peerMembers)
    .superRefine(holdToPlace)
    .describe(`${what}: a map of addresses, or of namespace and labels`)
    .exactOptional();

/** The resolver is on no list of egress, so that a public address is none: names would leave unseen, and whatever else a port takes. */
const resolver = z
  .strictObject({
    ...peerMembers,
    addresses: z
      .array(z.cidrv4().describe("an IPv4 network in CIDR form, such as 169.254.20.10/32"))
      .min(1)
      .max(32)
      .refine((list) => list.every((network) => isUnroutedNetwork(network) && prefixOf(network) >= LEAST_PREFIX))
      .describe(`its addresses: a list of 1 to 32 IPv4 networks of /${LEAST_PREFIX} or smaller, each ${UNROUTED_TEXT}`)
      .exactOptional(),
    port: z
      .int()
      .min(DNS_PORT)
      .max(65_535)
      .refine((port) => port === DNS_PORT || port > WELL_KNOWN)
      .describe(`port of its pods, UDP and TCP: ${DNS_PORT}, or a whole number from ${WELL_KNOWN + 1} to 65535`)
      .exactOptional(),
  })
  .superRefine(({ namespace, labels }, context) => {
    const missing = namespace === undefined ? "namespace" : "labels";
    if ((namespace === undefined) === (labels === undefined)) return;
    context.addIssue({
      code: "custom",
      path: [missing],
      message: "pods are named by a namespace and labels, together",
    });
  })
  .describe(
    "where names are asked for, if not at kube-dns in kube-system alone: a map of addresses, namespace and labels, port",
  )
  .exactOptional();

const server = (part: string) =>
  z
    .strictObject({
      host: text(
        /^(?!.*\.\.)[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/,
        "DNS name or IPv4 address, in lower case and without a port",
      ).exactOptional(),
      port: whole(1, 65_535, "port").exactOptional(),
      servername: text(
        /^(?!.*\.\.)[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/,
        "name in its certificate, if it is not the host",
      ).exactOptional(),
      caFile: absolutePath("the authorities (PEM) of its certificate, if they are not the deployment's own"),
      region: text(/^[a-z0-9][a-z0-9-]{0,62}$/, "region of its provider, if it is not the hosting's").exactOptional(),
      ...peerMembers,
    })
    .superRefine((value, context) => {
      holdToPlace(value, context);
      // Grafana only connects: nobody asks where it is.
      if (part !== "grafana" && value.host === undefined) {
        context.addIssue({ code: "custom", path: ["host"], message: `an external ${part} needs it` });
      }
      if (part !== "database" && value.caFile !== undefined) {
        context.addIssue({
          code: "custom",
          path: ["caFile"],
          message: `an external ${part} has none: it is under the deployment's root`,
        });
      }
    })
    .describe(
      `an external ${part}: a map of host, port, servername, caFile, region, and addresses or namespace and labels`,
    )
    .exactOptional();

const external = Object.fromEntries(EXTERNAL_PARTS.map((part) => [part, server(part)])) as Record<
  (typeof EXTERNAL_PARTS)[number],
  ReturnType<typeof server>
>;

/** The form of `kubernetes` in `trustkern.yaml`: what the engine kubernetes needs to know of its cluster. */
export const kubernetesSchema = z
  .strictObject({
    namespace: text(
      OWN_NAMESPACE,
      "namespace that is this deployment's alone: 1 to 63 of a-z 0-9 -, and not default or kube-…",
    ).exactOptional(),
    storageClass: text(
      /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/,
      "storage class of every volume; without it the cluster's own",
    ).exactOptional(),
    databaseSize: text(
      SIZE_PATTERN,
      "size of the database's volume: a whole number with KiB, MiB or GiB",
    ).exactOptional(),
    collector: z
      .strictObject({
        min: whole(1, 32, "collectors at least").exactOptional(),
        max: whole(1, 32, "collectors at most").exactOptional(),
      })
      .describe("how many collectors: a map of min, max")
      .exactOptional(),
    custody: z
      .strictObject({ replicas: whole(1, 3, "custody services").exactOptional() })
      .describe("how many custody services: a map of replicas")
      .exactOptional(),
    publish: z
      .strictObject({
        service: z
          .enum(SERVICE_KINDS)
          .describe(`kind of the services of published ports: ${SERVICE_KINDS.join(", ")}`)
          .exactOptional(),
        from: networks("from where published ports may be reached"),
      })
      .describe("who reaches published ports: a map of service, from")
      .exactOptional(),
    resolver,
    keys: peers("where custody reaches its Vault or KMS, with custody.kind vault or aws-kms"),
    issuingKeys: peers("where the online authorities reach their KMS, with pki.issuing.kind aws-kms"),
    external: z
      .strictObject(external)
      .describe(`parts that the deployment uses and does not run: a map of ${EXTERNAL_PARTS.join(", ")}`)
      .exactOptional(),
  })
  .describe(
    "a map of namespace, storageClass, databaseSize, collector, custody, publish, resolver, keys, issuingKeys, external",
  );
