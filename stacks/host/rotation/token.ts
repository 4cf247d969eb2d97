import { readFileSync } from "node:fs";
import { fingerprintOf } from "../pem.ts";
import type { RotationContext } from "./context.ts";
import type { Rotation } from "./machine.ts";

/** Another token for a gateway, beside the one that it has; those of before are revoked once the new one has been used. */
export function rotateToken({ fleet, files, secretFile }: RotationContext, gateway: string): Rotation {
  return {
    what: `token:${gateway}`,
    begin: async () => ({}),
    phases: {
      "add-new": {
        says: `have the backend issue another token for ${gateway}; the one that it has stays good`,
        act: async () => {
          // After a death in between, nobody has the token that was issued: it is among those that are revoked at the end.
          const { id, token } = await fleet.newToken(gateway);
          files.write(secretFile(gateway, "token"), `${token}\n`);
          return { new: id };
        },
      },
      "prove-trust": { says: "nothing: the backend accepts every token that it has issued" },
      issue: { says: "nothing: the gateway has read the file" },
      "prove-use": {
        says: `wait until ${gateway} has used its new token`,
        pending: async (memo) => {
          const lines = await fleet.tokens(gateway);
          return lines.some(({ id, used }) => id === memo.new && used) ? [] : [gateway];
        },
      },
      "remove-old": {
        says: "revoke every other token of the gateway",
        act: async (memo) => {
          const others = (await fleet.tokens(gateway)).filter(({ id, revoked }) => id !== memo.new && !revoked);
          for (const { id } of others) await fleet.revokeToken(gateway, id);
          return {};
        },
      },
    },
  };
}

/**
 * Revokes the tokens that are bound to leaves of before. Once a gateway presents the leaf that its file holds, nobody can use
 * them, and they would count until they expire.
 */
export async function dropTokensOfBefore({ fleet, gateways, leafFiles }: RotationContext): Promise<void> {
  for (const gateway of gateways) {
    const leaves = leafFiles(gateway).map((file) => fingerprintOf(readFileSync(file, "utf8")));
    const before = (await fleet.tokens(gateway)).filter(
      ({ revoked, certificate }) => !revoked && !leaves.includes(certificate),
    );
    for (const { id } of before) await fleet.revokeToken(gateway, id);
  }
}
