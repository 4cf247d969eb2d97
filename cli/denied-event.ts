import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { ceremonyErrors } from "../certs/ceremony/errors.ts";
import { denialReason, denials } from "../certs/denial.ts";
import { certsErrors } from "../certs/errors.ts";
import { signersErrors } from "../certs/signers/errors.ts";
import { EXIT, messageOf, TrustKernError } from "../shared/errors.ts";
import { logEvent } from "../stacks/host/event-log.ts";
import { layoutOf } from "../stacks/host/layout.ts";
import { allErrors } from "./catalogues.ts";
import type { GlobalFlags } from "./command.ts";
import { locateDeployment } from "./deployment-file.ts";
import type { Io } from "./io.ts";
import { actorOf } from "./user.ts";

/** A command line that failed, as far as it could be read. */
export interface FailedCommand {
  /** Words of the command, such as `certs issue`. */
  readonly name: string;
  readonly args: readonly string[];
  readonly flags: GlobalFlags;
}

/** Commands of which every refusal is about who may have or use what. */
const GROUPS: readonly string[] = ["certs", "gateway", "device"];

/** Codes that any command may end with when it looks at certificates and keys. */
const OURS = new Set(
  [denials, certsErrors, signersErrors, ceremonyErrors].flatMap(({ entries }) => Object.keys(entries)),
);

/** Bad input whose exit code says what is wrong with a file or a name, rather than that something was denied. */
const SPOILT: readonly string[] = [
  ...["DENIED_CORRUPT", "DENIED_REVOCATION_UNKNOWN", "CERT_NAME_INVALID", "CERT_LIFETIME_RANGE"],
  ...["CERT_AUTHORITY_INVALID", "SIGNER_KEY_CORRUPT", "LEDGER_CORRUPT", "STATE_CORRUPT"],
];

/** Longest object of an event, in characters. */
const MAX_OBJECT = 200;

/**
 * Writes `CERT_DENIED` into the log of the deployment that a command was for, where there is one and the error says that a
 * certificate, a request, a key, a name or a secret was refused. Never throws: an event that cannot be written is told on stderr.
 */
export async function logDenied(thrown: unknown, command: FailedCommand, io: Io): Promise<void> {
  if (!(thrown instanceof TrustKernError) || !isDenial(thrown, command.name)) return;
  try {
    const { deployment, dir } = await locateDeployment(io, command.flags);
    const layout = layoutOf(dir, tmpdir());
    if (!existsSync(layout.stateFile) && !existsSync(layout.authoritiesDir)) return;
    logEvent(layout, {
      kind: "CERT_DENIED",
      time: io.now().toISOString(),
      tenant: deployment.tenant,
      actor: actorOf(io),
      sourceAddress: null,
      object: [command.name, ...command.args].join(" ").slice(0, MAX_OBJECT),
      reason: denialReason(thrown) ?? thrown.code,
      count: 1,
      correlationId: null,
    });
  } catch (failure) {
    io.stderr(`the event of this refusal is not in the deployment's log: ${messageOf(failure)}\n`);
  }
}

function isDenial({ code, exit: told }: TrustKernError, name: string): boolean {
  // What a service answers with has its code, and not its exit code.
  const exit = allErrors().get(code)?.exit ?? told;
  const isRefusal = exit === EXIT.authentication || exit === EXIT.policy || SPOILT.includes(code);
  return isRefusal && (OURS.has(code) || GROUPS.includes(name.split(" ")[0] ?? ""));
}
