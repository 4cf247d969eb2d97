import { issuedByLedger, mergeInventories, planFleetInventory } from "../../certs/fleet-inventory.ts";
import { type InventoryRow, planInventory, renderInventoryMetrics } from "../../certs/inventory.ts";
import { EXIT } from "../../shared/errors.ts";
import { certificateFiles } from "../../stacks/host/certificate-files.ts";
import { printJson, type Run } from "../command.ts";
import { cliErrors } from "../errors.ts";
import type { Paint } from "../paint.ts";
import { certsSite } from "./certs-context.ts";
import { type FleetAnswer, fleetInventory } from "./certs-fleet.ts";

/**
 * `certs list`: every certificate on this host, and what its ledger has issued by hand, which needs neither a network nor running components; with `--fleet` also those that
 * gateways and operators hold, as far as the backend answers.
 */
export const run: Run = async (context) => {
  const { io, flags, options, paint } = context;
  const format = options.format ?? "table";
  if (format !== "table" && format !== "prometheus") {
    const message = `--format is "${String(format)}"; accepted: table, prometheus`;
    throw cliErrors.error("CLI_USAGE", message, { path: "--format" });
  }
  const site = await certsSite(context);
  const revoked = new Set(site.pki.ledger.revocations().map(({ issuer, serial }) => `${issuer}/${serial}`));
  const at = io.now();
  const files = planInventory({
    sources: certificateFiles(site),
    at,
    isRevoked: (serial, issuer) => revoked.has(`${issuer}/${serial}`),
  });
  const certificates = issuedByLedger(site.pki.ledger.records());
  // Of a name that has its file here, those of before count no more.
  const kept = new Set(files.map(({ subject }) => subject));
  const byHand = planFleetInventory({ tenant: site.tenant, certificates, at }).filter(
    ({ subject }) => !kept.has(subject),
  );
  const own = mergeInventories(files, byHand);
  const fleet = options.fleet === true ? await fleetInventory(site, io.now()) : undefined;
  const rows = fleet === undefined ? own : mergeInventories(own, fleet.rows);
  if (fleet?.missing !== undefined)
    io.stderr(`the fleet's certificates are missing, the backend says nothing: ${fleet.missing.message}\n`);
  if (flags.json) printJson(io, { schema: "trustkern.certs-list/1", fleet: describe(fleet), certificates: rows });
  else if (format === "prometheus") io.stdout(renderInventoryMetrics(rows));
  else io.stdout(renderTable(rows, paint));
  if (!flags.json && format === "table" && fleet === undefined)
    io.stderr(paint("dim", "what gateways and operators hold is not in this list: trustkern certs list --fleet\n"));
  return EXIT.done;
};

function describe(fleet: FleetAnswer | undefined): object {
  if (fleet === undefined) return { state: "not-asked" };
  return fleet.missing === undefined ? { state: "listed" } : { state: "missing", ...fleet.missing };
}

/** The inventory as columns; one line for each further place of use. */
function renderTable(rows: readonly InventoryRow[], paint: Paint): string {
  const head = ["STATE", "LEFT", "UNTIL", "SUBJECT", "ISSUER", "SERIAL", "USED BY"];
  const lines = rows.map((row) => [
    row.state,
    `${Math.round(row.lifeLeft * 100)} %`,
    row.notAfter.toISOString().slice(0, 16),
    row.subject,
    row.issuer,
    row.serial,
    row.usedBy.join(" "),
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)));
  const padded = (cells: readonly string[]): string[] => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0));
  const body = lines.map((line) => {
    const [state = "", ...rest] = padded(line);
    return [paint(colourOf(line[0] ?? ""), state), ...rest].join("  ").trimEnd();
  });
  return `${[padded(head).join("  ").trimEnd(), ...body].join("\n")}\n`;
}

function colourOf(state: string): "green" | "yellow" | "red" {
  if (state === "ok") return "green";
  return state === "due" || state === "overdue-20" ? "yellow" : "red";
}
