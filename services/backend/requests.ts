import { z } from "zod";
import { recipientSchema } from "../../protocol/provisioning-bundle.ts";
import { hex, label } from "./request-parts.ts";

const identity = { sensor_id: hex(9), public_key: hex(65), maker: label, model: label };

/** Body of `POST /v1/devices`. */
export const deviceBody = z.strictObject(identity);

/** Body of `POST /v1/provisioning/challenge`. */
export const challengeBody = z.strictObject({ sensor_id: hex(9) });

/** Body of `POST /v1/provisioning/bundle`. */
export const bundleBody = z.strictObject({ challenge_id: hex(16), ...identity, signature: hex(64) });

/** Body of `POST /v1/provisioning/activate`. */
export const activationBody = z.strictObject({ bundle_id: hex(16), sensor_id: hex(9), signature: hex(64) });

/** Body of `PUT /v1/recipients`. */
export const recipientsBody = z.array(recipientSchema).min(1).max(16);

/** The `:id` of a path. */
export const sensorIdParam = hex(9);
