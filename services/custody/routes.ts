import { z } from "zod";
import { type Generation, planTransition } from "../../custody/generation.ts";
import { mistakesOf } from "../runtime/config.ts";
import type { ControlRoute } from "../runtime/control.ts";
import { runtimeErrors } from "../runtime/errors.ts";
import type { Keyring } from "./keyring.ts";

const newGeneration = z.strictObject({ not_before: z.iso.datetime().optional() });

/**
 * Control routes: the generations, and what an operator does to them.
 * `GET /generations` · `POST /generations {not_before?}` makes a `next` one · `POST /generations/:id/activate` ·
 * `POST /generations/:id/destroy` · `POST /seal` · `POST /unseal`.
 */
export function custodyRoutes(keyring: Keyring, now: () => number): readonly ControlRoute[] {
  const transition =
    (to: "active" | "destroyed"): ControlRoute["handler"] =>
    async (_, { params }) => {
      const backend = keyring.unsealed();
      await backend.transition(planTransition(backend.list(), params.id ?? "", to));
      return backend.list().map(row);
    };
  return [
    { method: "GET", path: "/generations", handler: () => keyring.unsealed().list().map(row) },
    {
      method: "POST",
      path: "/generations",
      handler: async (body) => {
        const createdAt = new Date(now()).toISOString();
        const notBefore = parseNotBefore(body) ?? createdAt;
        return row(await keyring.unsealed().generate({ state: "next", createdAt, notBefore }));
      },
    },
    { method: "POST", path: "/generations/:id/activate", handler: transition("active") },
    { method: "POST", path: "/generations/:id/destroy", handler: transition("destroyed") },
    {
      method: "POST",
      path: "/seal",
      handler: () => {
        keyring.seal();
        return { sealed: true };
      },
    },
    {
      method: "POST",
      path: "/unseal",
      handler: async () => {
        await keyring.unseal();
        return { sealed: false };
      },
    },
  ];
}

function parseNotBefore(body: unknown): string | undefined {
  const parsed = newGeneration.safeParse(body ?? {});
  if (parsed.success) return parsed.data.not_before;
  throw runtimeErrors.error("HTTP_BODY_INVALID", mistakesOf(parsed.error));
}

function row({ keyId, publicKey, state, createdAt, notBefore }: Generation): object {
  return { key_id: keyId, public_key: publicKey, state, created_at: createdAt, not_before: notBefore };
}
