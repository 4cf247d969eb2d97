import { EXIT } from "../../shared/errors.ts";
import type { Run } from "../command.ts";
import { printChange } from "./gateway-backend.ts";
import { confirmedGateway } from "./known-gateway.ts";
import { revokeForGood } from "./take-revocations.ts";

/** `gateway revoke GATEWAY`: for good, with its certificates, its tokens and its session at the broker. */
export const run: Run = async (context) => {
  const gateway = await confirmedGateway(context, (name) => `revoke gateway ${name} for good`);
  const { reason = "unspecified" } = context.options;
  const path = `/v1/gateways/${encodeURIComponent(gateway)}/revoke`;
  const answer = await revokeForGood(context, path, { reason });
  printChange(context, "trustkern.gateway-revoked/1", answer, `${gateway} is revoked`);
  return EXIT.done;
};
