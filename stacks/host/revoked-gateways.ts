import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Model } from "../../model/boundary.ts";
import { TrustKernError } from "../../shared/errors.ts";
import { stableJson } from "../../shared/stable-json.ts";
import { hostErrors } from "./errors.ts";
import type { Layout } from "./layout.ts";
import type { OperatorClient } from "./operator-client.ts";
import { hostFiles } from "./store-files.ts";

const noteSchema = z.strictObject({
  schema: z.literal("trustkern.revoked-gateways/1"),
  names: z.array(z.string().min(1)),
});

const listed = z.array(z.looseObject({ name: z.string(), state: z.string() }));

/** What the note is kept for. */
interface Site {
  readonly layout: Layout;
  readonly model: Model;
}

/**
 * Gateways that are revoked for good, as the backend last said: this host issues nothing for them, with or without a network.
 * @param dir the authorities' folder
 * @throws STATE_CORRUPT
 */
export function revokedGateways(dir: string): ReadonlySet<string> {
  const path = noteIn(dir);
  if (!existsSync(path)) return new Set();
  try {
    return new Set(noteSchema.parse(JSON.parse(readFileSync(path, "utf8"))).names);
  } catch {
    throw hostErrors.error("STATE_CORRUPT", "the file does not say which gateways are revoked", { path });
  }
}

/**
 * Asks the backend which gateways are revoked, and keeps the answer.
 * @returns those of this deployment
 */
export async function learnRevoked({ layout, model }: Site, operator: OperatorClient): Promise<readonly string[]> {
  const { success, data = [] } = listed.safeParse(await operator("GET", "/v1/gateways"));
  if (success) {
    const names = data.filter(({ state }) => state === "revoked").map(({ name }) => name);
    const note = { schema: "trustkern.revoked-gateways/1", names: names.sort() };
    const known = names.length > 0 || existsSync(noteIn(layout.authoritiesDir));
    if (known) hostFiles.write(noteIn(layout.authoritiesDir), `${stableJson(note, 2)}\n`);
  }
  const revoked = revokedGateways(layout.authoritiesDir);
  return model.components.map(({ name }) => name).filter((name) => revoked.has(name));
}

/** {@link learnRevoked}, or what was known before where the backend does not answer. */
export async function revokedNow(
  site: Site & { readonly operator: () => Promise<OperatorClient> },
): Promise<ReadonlySet<string>> {
  try {
    await learnRevoked(site, await site.operator());
  } catch (thrown) {
    if (!(thrown instanceof TrustKernError)) throw thrown;
  }
  return revokedGateways(site.layout.authoritiesDir);
}

/** What an operator is told of gateways that are revoked and still deployed. */
export function tellOfRevoked(names: readonly string[]): string {
  return `${names.join(", ")}: revoked for good, and given neither certificate nor token; ${MEND}`;
}

/**
 * Refuses a deployment that has a gateway which is revoked.
 * @throws GATEWAY_REVOKED
 */
export function assertNoneRevoked(names: readonly string[]): void {
  if (names.length === 0) return;
  throw hostErrors.error("GATEWAY_REVOKED", `the deployment has ${names.join(", ")}, revoked for good`, {
    path: "gateways",
    fix: MEND,
  });
}

const MEND = "take it out of gateways in trustkern.yaml, and give its successor another name there";

function noteIn(dir: string): string {
  return join(dir, "gateways.revoked.json");
}
