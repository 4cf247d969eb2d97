import { z } from "zod";
import { FOREIGN_IMAGES, IMAGE_SOURCES } from "../model/deployment.ts";
import { absolutePath, text } from "./fields.ts";
import { HOST_SOCKET, HOST_SOCKET_TEXT } from "./host-socket.ts";

/** The form of `images` in `trustkern.yaml`: where container images come from. */
export const imagesSchema = z
  .strictObject({
    source: z
      .enum(IMAGE_SOURCES)
      .describe(`where container images come from: ${IMAGE_SOURCES.join(", ")}`)
      .exactOptional(),
    grafana: z.enum(["present", "absent"]).describe("whether Grafana is deployed: present, absent").exactOptional(),
    mirror: text(
      /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/,
      "registry that every image is pulled from, as host[:port][/path], with source registry",
    ).exactOptional(),
    signedBy: absolutePath("the public key (PEM, P-256) that signed the images, with source registry"),
    foreign: z
      .enum(FOREIGN_IMAGES)
      .describe(`whose images of other makers' programs, the database's among them: ${FOREIGN_IMAGES.join(", ")}`)
      .exactOptional(),
  })
  .describe("a map of source, grafana, mirror, signedBy, foreign");

/** The form of `docker` in `trustkern.yaml`: what the engine docker needs to know of its host. */
export const dockerSchema = z
  .strictObject({
    publishAddress: z.ipv4().describe("IPv4 address of the host that published ports listen on").exactOptional(),
    subnets: text(
      /^(10\.(25[0-5]|2[0-4]\d|1?\d?\d)|172\.(1[6-9]|2\d|3[01])|192\.168)\.0\.0\/16$/,
      "a private IPv4 network of 16 bits, such as 10.213.0.0/16",
    ).exactOptional(),
    tokenSocket: text(
      HOST_SOCKET,
      `socket of p11-kit server, with pki.issuing.kind pkcs11: ${HOST_SOCKET_TEXT}`,
    ).exactOptional(),
    custodySocket: text(
      HOST_SOCKET,
      `socket of trustkern keys token-server, with custody.kind pkcs11: ${HOST_SOCKET_TEXT}`,
    ).exactOptional(),
  })
  .describe("a map of publishAddress, subnets, tokenSocket, custodySocket");

/** The form of `state` in `trustkern.yaml`: where OpenTofu keeps its state. */
export const stateSchema = z
  .strictObject({
    backend: z.enum(["local", "s3", "http"]).describe("where the state is kept: local, s3, http"),
    bucket: text(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "name of the bucket, with backend s3").exactOptional(),
    key: text(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/, "key of the state in the bucket, with backend s3").exactOptional(),
    region: text(/^[a-z0-9][a-z0-9-]{0,62}$/, "region of the bucket, with backend s3").exactOptional(),
    endpoint: text(
      /^https:\/\/[^\s@?#]+$/,
      "https URL of an S3-compatible service, without credentials, with backend s3",
    ).exactOptional(),
    address: text(
      /^https:\/\/[^\s@?#]+$/,
      "https URL of the state, without credentials, with backend http",
    ).exactOptional(),
  })
  .superRefine((state, context) => {
    const needed: readonly ("bucket" | "key" | "region" | "address")[] =
      state.backend === "s3" ? ["bucket", "key", "region"] : state.backend === "http" ? ["address"] : [];
    for (const member of needed) {
      if (state[member] === undefined)
        context.addIssue({ code: "custom", path: [member], message: `backend ${state.backend} needs it` });
    }
  })
  .describe("a map of backend, and with s3 of bucket, key, region, endpoint, with http of address");
