import { X509Certificate } from "node:crypto";
import { rmSync } from "node:fs";
import { resolve } from "node:path";
import type { Authority } from "../../certs/authority.ts";
import { issueDeviceLeaf } from "../../certs/classes/leaf-device.ts";
import { issueFromCsr, issueGatewayLeaf } from "../../certs/classes/leaf-gateway.ts";
import { certifyOperator, issueOperatorLeaf } from "../../certs/classes/leaf-operator.ts";
import { issueServiceLeaf } from "../../certs/classes/leaf-service.ts";
import { denial } from "../../certs/denial.ts";
import type { Certified, Issued } from "../../certs/issue.ts";
import type { LeafRequest } from "../../certs/leaf.ts";
import { LEAF_CLASSES, type LeafClass, NAME_PREFIX } from "../../certs/names.ts";
import { assertSupport, supportSeconds } from "../../certs/support.ts";
import { longestLifetime, shortestLifetime } from "../../certs/validity.ts";
import { fleetErrors } from "../../services/backend/fleet/errors.ts";
import { EXIT, TrustKernError } from "../../shared/errors.ts";
import { makersIn } from "../../stacks/host/authorities-in-use.ts";
import { openAuthority } from "../../stacks/host/authority-key.ts";
import type { CertsSite } from "../../stacks/host/certs-site.ts";
import { logEvent } from "../../stacks/host/event-log.ts";
import { revokedNow } from "../../stacks/host/revoked-gateways.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { claimOutput, readInput } from "../files.ts";
import { needed } from "../needed.ts";
import { serviceNames } from "../service-names.ts";
import { talk } from "../talk.ts";
import { actorOf } from "../user.ts";
import { certsSite, changing, type IssuingPlace, issuingPlace } from "./certs-context.ts";
import { takeRevocations } from "./take-revocations.ts";

/** `certs issue NAME`: a certificate of the class that the name's prefix says, or a device's. */
export const run: Run = async (context) => {
  const { io, flags, options, args } = context;
  const name = args[0] ?? "";
  const output = needed(options.output, "-o");
  const csrPem =
    typeof options.csr === "string" ? Buffer.from(await readInput(io, options.csr)).toString("utf8") : undefined;
  const issued = await (typeof options.maker === "string"
    ? issueForDevice(context, output, csrPem)
    : issueForName(context, output, csrPem));
  const serial = issued.event.object;
  const until = new X509Certificate(issued.certPem).validToDate.toISOString();
  if (flags.json) printJson(io, { schema: "trustkern.certs-issue/1", name, serial, file: output, until });
  else io.stdout(`${output}: ${name}, serial number ${serial}, until ${until}\n`);
  return EXIT.done;
};

/** A maker's authority may be on a machine that deploys nothing, and no backend keeps a device's certificate. */
async function issueForDevice(context: CommandContext, output: string, csrPem: string | undefined): Promise<Certified> {
  const place = await issuingPlace(context);
  return issueInto(context, place, output, () => issueDevice(context, place, csrPem));
}

async function issueForName(
  context: CommandContext,
  output: string,
  csrPem: string | undefined,
): Promise<Certified | Issued> {
  const name = context.args[0] ?? "";
  const site = await certsSite(context);
  if (name.startsWith(NAME_PREFIX.gateways)) assertActive(name, await revokedNow(site));
  const issued = await issueInto(context, site, output, () => issueNamed(context, site, name, csrPem));
  if ((await tell(context, site, issued.certPem)) !== "revoked") return issued;
  rmSync(resolve(context.io.cwd, output));
  await takeRevocations(context, site, await site.operator());
  throw revokedForGood(name);
}

/** Issues into a file that is there before: what cannot be handed over is not issued. */
function issueInto<T extends Certified | Issued>(
  context: CommandContext,
  place: IssuingPlace,
  output: string,
  issue: () => Promise<T>,
): Promise<T> {
  return changing(context, place, async () => {
    const file = claimOutput(context.io, output, 0o600);
    try {
      const certified = await issue();
      // What no record tells of is never handed out.
      await place.pki.ledger.issued(certified.certPem, actorOf(context.io));
      logEvent(place.layout, certified.event);
      file.write(("keyPem" in certified ? certified.keyPem : "") + certified.certPem);
      return certified;
    } finally {
      file.release();
    }
  });
}

async function issueNamed(
  { io }: CommandContext,
  site: CertsSite,
  name: string,
  csrPem: string | undefined,
): Promise<Certified | Issued> {
  const leafClass = classOfName(name);
  assertSupport(site.support, name, io.now());
  const { issuers } = await site.pki.authorities();
  const request = { name, now: io.now(), lifetimeSeconds: lifetimeOf(name, site, io.now()) };
  if (csrPem !== undefined) return certifyRequest(leafClass, issuers[leafClass], csrPem, request);
  if (leafClass === "services") {
    assertService(name, site);
    return issueServiceLeaf(issuers.services, request);
  }
  return leafClass === "gateways"
    ? issueGatewayLeaf(issuers.gateways, request)
    : issueOperatorLeaf(issuers.operators, request);
}

function certifyRequest(
  leafClass: LeafClass,
  issuer: Authority,
  csrPem: string,
  request: LeafRequest,
): Promise<Certified> {
  if (leafClass === "gateways") return issueFromCsr(issuer, csrPem, request);
  if (leafClass === "operators") return certifyOperator(issuer, csrPem, request);
  const message = "--csr is for gateways, operators and devices: a service's key is made where it is deployed from";
  throw cliErrors.error("CLI_USAGE", message, { path: "--csr" });
}

async function issueDevice(
  { io, options, args }: CommandContext,
  { layout }: IssuingPlace,
  csrPem: string | undefined,
): Promise<Certified> {
  const maker = needed(options.maker, "--maker");
  const known = makersIn(layout.authoritiesDir);
  if (!known.includes(maker)) {
    const message = `no authority of the maker "${maker}" is here; there are: ${known.join(", ") || "none"}`;
    throw cliErrors.error("CLI_USAGE", message, { path: "--maker" });
  }
  return issueDeviceLeaf(await openAuthority(layout.authoritiesDir, `makers/${maker}`), {
    hardwareId: args[0] ?? "",
    maker,
    model: needed(options.model, "--model"),
    now: io.now(),
    key: { csrPem: needed(csrPem, "--csr") },
  });
}

function classOfName(name: string): LeafClass {
  const found = LEAF_CLASSES.find((each) => name.startsWith(NAME_PREFIX[each]));
  if (found !== undefined) return found;
  const message = `"${name}" starts with none of ${Object.values(NAME_PREFIX).join(", ")}, and no --maker is named`;
  throw cliErrors.error("CLI_USAGE", message, { path: "name" });
}

/** @throws DENIED_NAME_NOT_ALLOWED for a name that no component has, and that is not the vendor's where Prometheus is published: nothing would ever ask for it, or whoever does is none of ours */
function assertService(name: string, { model }: CertsSite): void {
  const accepted = serviceNames(model);
  if (accepted.includes(name)) return;
  throw denial("name-not-allowed", `no component of the deployment is "${name}"; there are: ${accepted.join(", ")}`);
}

/**
 * What is left of the access of the vendor's staff, where that is less than a certificate lasts.
 * @throws DENIED_SUPPORT_OFF where a certificate would outlive it
 */
function lifetimeOf(name: string, { support }: CertsSite, now: Date): number | undefined {
  const left = supportSeconds(support, name, now);
  if (left === undefined || left >= longestLifetime("operators")) return undefined;
  if (left >= shortestLifetime("operators")) return left;
  throw denial("support-off", `the access of "${name}" ends in ${left} s, and no certificate is shorter than 5 min`);
}

/** @throws GATEWAY_REVOKED */
function assertActive(name: string, revoked: ReadonlySet<string>): void {
  if (revoked.has(name)) throw revokedForGood(name);
}

function revokedForGood(name: string): Error {
  return fleetErrors.error("GATEWAY_REVOKED", `gateway ${name} is revoked for good, and gets no certificate`, {
    path: "name",
  });
}

/**
 * The backend accepts what it does not know as well, by its chain; what it knows, it can revoke. What was made for a gateway while that
 * was revoked, it revokes at once.
 */
async function tell(context: CommandContext, site: CertsSite, certPem: string): Promise<"told" | "away" | "revoked"> {
  try {
    await (await site.operator())("POST", "/v1/certificates", { chain_pem: certPem });
    return "told";
  } catch (thrown) {
    if (thrown instanceof TrustKernError && thrown.code === "GATEWAY_REVOKED") return "revoked";
    talk(context)("the backend does not answer: it gets to know the certificate when it is used");
    return "away";
  }
}
