import type { z } from "zod";
import { bytesOfHex } from "../../protocol/hex.ts";
import { importP256Point } from "../../protocol/signature.ts";
import type { Route } from "../runtime/http.ts";
import { parseBody } from "../runtime/parse-body.ts";
import type { Provisioning } from "./provisioning.ts";
import type { Device, DeviceIdentity, Devices } from "./registry/devices.ts";
import type { Recipients } from "./registry/recipients.ts";
import { activationBody, bundleBody, challengeBody, deviceBody, recipientsBody, sensorIdParam } from "./requests.ts";
import type { Allowlists } from "./trust/allowlists.ts";
import type { SigningKey } from "./trust/keys.ts";
import type { Publisher } from "./trust/publisher.ts";
import type { Updates } from "./trust/updates.ts";

/** The parts that the routes call. */
export interface RouteParts {
  readonly devices: Devices;
  readonly provisioning: Provisioning;
  readonly recipients: Recipients;
  readonly updates: Updates;
  readonly allowlists: Allowlists;
  readonly key: Pick<SigningKey, "publicKey">;
  readonly publisher: Pick<Publisher, "allowlistsChanged" | "updateIssued">;
}

/** The backend's HTTPS routes; docs/spec/provisioning.md has their bodies. */
export function backendRoutes(parts: RouteParts): readonly Route[] {
  return [...provisioningRoutes(parts), ...deviceRoutes(parts), ...trustRoutes(parts)];
}

function provisioningRoutes({ provisioning, publisher }: RouteParts): readonly Route[] {
  return [
    {
      method: "POST",
      path: "/v1/provisioning/challenge",
      handler: (body) => {
        const { challengeId, nonce, expiresAtMs } = provisioning.challenge(parseBody(challengeBody, body).sensor_id);
        return { challenge_id: challengeId, nonce, expires_at: new Date(expiresAtMs).toISOString() };
      },
    },
    {
      method: "POST",
      path: "/v1/provisioning/bundle",
      handler: async (body) => {
        const { challenge_id, signature, ...identity } = parseBody(bundleBody, body);
        const request = { challengeId: challenge_id, signature, ...identityOf(identity) };
        return { bundle: await provisioning.bundle(request) };
      },
    },
    {
      method: "POST",
      path: "/v1/provisioning/activate",
      handler: (body) => {
        const { bundle_id, sensor_id, signature } = parseBody(activationBody, body);
        const device = provisioning.activate({ bundleId: bundle_id, sensorId: sensor_id, signature });
        publisher.allowlistsChanged();
        return renderDevice(device);
      },
    },
  ];
}

function deviceRoutes({ devices, updates, publisher }: RouteParts): readonly Route[] {
  return [
    { method: "GET", path: "/v1/devices", handler: () => devices.list().map(renderDevice) },
    {
      method: "POST",
      path: "/v1/devices",
      handler: (body) => {
        const device = devices.register(identityOf(parseBody(deviceBody, body)));
        publisher.allowlistsChanged();
        return renderDevice(device);
      },
    },
    {
      method: "POST",
      path: "/v1/devices/:id/revoke",
      handler: (_, { params }) => {
        const device = devices.revoke(parseBody(sensorIdParam, params.id));
        publisher.allowlistsChanged();
        return renderDevice(device);
      },
    },
    {
      method: "POST",
      path: "/v1/devices/:id/update",
      handler: async (_, { params }) => {
        const update = await updates.issue(parseBody(sensorIdParam, params.id));
        publisher.updateIssued(update);
        return { sensor_id: update.sensorId, update_counter: update.counter };
      },
    },
  ];
}

/** Updates that one request signs: an operator's waits 10 s at most. */
const UPDATES_AT_ONCE = 200;

function trustRoutes({ recipients, updates, publisher, allowlists, key }: RouteParts): readonly Route[] {
  return [
    { method: "GET", path: "/v1/recipients", handler: () => recipients.list() },
    {
      method: "PUT",
      path: "/v1/recipients",
      handler: (body) => {
        recipients.replace(parseBody(recipientsBody, body));
        return recipients.list();
      },
    },
    {
      method: "POST",
      path: "/v1/updates",
      handler: async () => {
        const { issued, remaining } = await updates.issueDue(UPDATES_AT_ONCE);
        for (const update of issued) publisher.updateIssued(update);
        return { issued: issued.length, remaining };
      },
    },
    { method: "GET", path: "/v1/signing-key", handler: () => ({ public_key: key.publicKey }) },
    {
      method: "GET",
      path: "/v1/allowlist/collector",
      handler: async () => JSON.parse((await allowlists.signed("collector")).dsse),
    },
  ];
}

/** @throws PROTOCOL_BAD_POINT for a public key that is not on the curve */
function identityOf({ sensor_id, public_key, maker, model }: z.infer<typeof deviceBody>): DeviceIdentity {
  importP256Point(bytesOfHex(public_key));
  return { sensorId: sensor_id, publicKey: public_key, maker, model };
}

function renderDevice({ sensorId, publicKey, maker, model, state, updateCounter, changedAtMs }: Device): object {
  return {
    sensor_id: sensorId,
    public_key: publicKey,
    maker,
    model,
    state,
    update_counter: updateCounter,
    changed_at: new Date(changedAtMs).toISOString(),
  };
}
