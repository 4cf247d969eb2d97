import { EXIT } from "../../shared/errors.ts";
import type { KeyPhase } from "../../stacks/host/generations/journal.ts";
import type { KeysOverview } from "../../stacks/host/generations/overview.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { printRows } from "./gateway-backend.ts";
import { knownKeys } from "./keys-context.ts";

/** `keys list`: what is known of the deployment's keys; changes nothing. */
export const run: Run = async (context) => {
  const overview = await knownKeys(context);
  if (context.flags.json) printJson(context.io, { schema: "trustkern.keys/1", ...overview });
  else print(context, overview);
  return EXIT.done;
};

function print(context: CommandContext, overview: KeysOverview): void {
  const { io, paint } = context;
  const { sealed, sealedBecause, verified, store, importKey, generations, rotation, schedule, unknown } = overview;
  const line = (name: string, text: string): void => io.stdout(`${paint("bold", name.padEnd(12))}${text}\n`);
  line(
    "custody",
    sealed ? `${paint("red", "SEALED")} (${sealedBecause ?? "unknown why"})` : paint("green", "unsealed"),
  );
  if (store) line("keys", `${store.kind}, ${store.custodyClass}, ${store.keysInUse}; ${store.where}`);
  if (!verified) line("generations", paint("yellow", "not verified while sealed"));
  if (importKey) line("import key", `${importKey.publicKey} (${importKey.keyId})`);
  if (rotation) line("rotation", `to ${rotation.keyId ?? "one that is being made"}, ${DOING[rotation.phase]}`);
  for (const { what, keyId, at, due } of schedule)
    line(what, `${keyId} ${due ? paint("yellow", `due since ${minute(at)}`) : `on ${minute(at)}`}`);
  const rows = generations.map(({ keyId, state, origin, createdAt, activatedAt, retiredAt, compromised, ...more }) => ({
    "key id": keyId,
    state: compromised ? `${state}, compromised (stored: ${compromised.stored})` : state,
    origin,
    made: minute(createdAt),
    active: minute(activatedAt),
    retired: minute(retiredAt),
    destroyed: more.destroyedAt === null ? fromMinute(more.destroyableAt) : minute(more.destroyedAt),
    sensors: more.sensors,
  }));
  const columns = ["key id", "state", "origin", "made", "active", "retired", "destroyed", "sensors"];
  printRows(context, { schema: "trustkern.keys/1", member: "generations", columns, rows });
  for (const what of unknown) io.stdout(`${paint("yellow", "unknown")} ${what}\n`);
}

const DOING: Readonly<Record<KeyPhase, string>> = {
  "make-next": "makes it (make-next)",
  publish: "tells sensors of it (publish)",
  "prove-use": "waits for sensors (prove-use)",
  activate: "makes it active (activate)",
};

/** Several may be of one day, so to the minute; UTC. */
function minute(at: string | null): string | null {
  return at === null ? null : at.slice(0, 16).replace("T", " ");
}

function fromMinute(at: string | null): string | null {
  return at === null ? null : `from ${minute(at)}`;
}
