import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signersErrors } from "./errors.ts";
import { runDeviceProgram } from "./program.ts";

/** One use of a TPM: a scratch folder, and the primary key that ours are children of. */
export interface TpmJob {
  readonly device: string;
  /** Transmission interface, as tpm2-tools name it. */
  readonly tcti: string;
  /** Context file of the primary key. */
  readonly primary: string;
  /** A file of the scratch folder. */
  readonly path: (name: string) => string;
}

// The storage root key of the TCG's provisioning guidance, which step-ca's TPM back end derives as well: a primary key is a
// function of this template and the TPM's seed, so that it is made anew each time and never stored.
const PRIMARY = ["-C", "o", "-g", "sha256", "-G", "rsa2048:aes128cfb"];
const PRIMARY_ATTRIBUTES = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt";
const MODULUS_BYTES = 256;
// tpm2-tools read the template's modulus as the TPM's structure lies in memory: its size, and its octets.
const ZERO_MODULUS = Buffer.alloc(MODULUS_BYTES);

// A TPM without a resource manager has room for three keys and one client.
const queues = new Map<string, Promise<unknown>>();

/**
 * Runs `use` with the TPM to itself, as far as this process goes, and takes the scratch folder away afterwards.
 * @throws SIGNER_TOKEN_MISSING, SIGNER_TOOLS_MISSING, SIGNER_FAILED
 */
export async function withTpm<T>(device: string, use: (job: TpmJob) => Promise<T>): Promise<T> {
  const turn = (queues.get(device) ?? Promise.resolve()).then(() => alone(device, use));
  queues.set(
    device,
    turn.catch(() => undefined),
  );
  return turn;
}

async function alone<T>(device: string, use: (job: TpmJob) => Promise<T>): Promise<T> {
  const tcti = tctiOf(device);
  const folder = mkdtempSync(join(tmpdir(), "tk-tpm-"));
  const path = (name: string): string => join(folder, name);
  const job = { device, tcti, primary: path("primary"), path };
  try {
    writeFileSync(path("unique"), Buffer.concat([Buffer.from(Uint16Array.of(MODULUS_BYTES).buffer), ZERO_MODULUS]));
    const how = ["-a", PRIMARY_ATTRIBUTES, "-u", path("unique"), "-c", job.primary];
    await runTpm(job, "tpm2_createprimary", ["-Q", ...PRIMARY, ...how]);
    return await use(job);
  } finally {
    // `tpm2_encodeobject` leaves a session behind, and a TPM has room for three.
    await runDeviceProgram("tpm2_flushcontext", ["-T", tcti, "-l"]);
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Runs one of tpm2-tools, and makes room in the TPM again.
 * @param input what the tool reads from `-`, which may be a secret. @default nothing
 * @returns what it wrote, which may be a secret
 * @throws SIGNER_TOOLS_MISSING, SIGNER_TOKEN_MISSING, SIGNER_PIN_WRONG, SIGNER_PIN_LOCKED, SIGNER_CURVE_UNSUPPORTED,
 * SIGNER_KEY_CORRUPT, SIGNER_POLICY_REFUSED, SIGNER_FAILED
 */
export async function runTpm(job: TpmJob, tool: string, args: readonly string[], input?: Uint8Array): Promise<Buffer> {
  const { code, stdout, stderr } = await runDeviceProgram(tool, ["-T", job.tcti, ...args], input);
  // A tool that fails leaves its key in the TPM as well.
  if (code !== null) await runDeviceProgram("tpm2_flushcontext", ["-T", job.tcti, "-t"]);
  if (code === null) throw signersErrors.error("SIGNER_TOOLS_MISSING", `PATH has no \`${tool}\``);
  if (code !== 0) {
    const said = stderr.trim().split("\n").slice(0, 2).join(" ");
    throw signersErrors.error(codeOf(stderr), `${tool} ended with code ${code}: ${said}`, { path: job.device });
  }
  return stdout;
}

// The TPM's own words for its return codes (TPM 2.0 Library, part 2, section 6.6.3), as tpm2-tools print them.
const WORDS = [
  [/tcti/i, "SIGNER_TOKEN_MISSING"],
  [/lockout/i, "SIGNER_PIN_LOCKED"],
  [/authorization (failure|value)|auth(orization)? fail|bad auth/i, "SIGNER_PIN_WRONG"],
  [/curve not supported|unsupported.*curve|curve/i, "SIGNER_CURVE_UNSUPPORTED"],
  [/policy check failed|PCR have changed/i, "SIGNER_POLICY_REFUSED"],
  [/integrity check failed|structure is the wrong size|sensitive area/i, "SIGNER_KEY_CORRUPT"],
] as const;

function codeOf(stderr: string) {
  return WORDS.find(([pattern]) => pattern.test(stderr))?.[1] ?? "SIGNER_FAILED";
}

/** @throws SIGNER_TOKEN_MISSING */
function tctiOf(device: string): string {
  const found = statSync(device, { throwIfNoEntry: false });
  if (found === undefined) throw signersErrors.error("SIGNER_TOKEN_MISSING", "there is no such TPM", { path: device });
  return found.isSocket() ? `swtpm:path=${device}` : `device:${device}`;
}
