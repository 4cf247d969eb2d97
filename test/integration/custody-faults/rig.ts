import { createPublicKey, type KeyObject } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { listSegments } from "../../../custody/audit/segments.ts";
import { verifyAuditLog } from "../../../custody/audit/verify.ts";
import { activeOf, manage } from "../custody/asking.ts";
import { type CustodyProcesses, custodyProcesses, type Running } from "../custody/processes.ts";
import type { Random } from "./random.ts";
import { type SmallDisk, smallDisk } from "./small-disk.ts";
import { startTraffic, type Traffic } from "./traffic.ts";

/** Findings of a log whose writer died: records that nobody was told of. */
const LEFT_BY_A_DEATH = new Set(["AUDIT_BEYOND", "AUDIT_TORN"]);

/** Custody and its broker under traffic, the audit log on a disk of its own. */
export interface Rig {
  readonly processes: CustodyProcesses;
  readonly disk: SmallDisk;
  readonly traffic: Traffic;
  /** Of the log, as custody sees it. */
  readonly files: Readonly<Record<"segment" | "head", string>>;
  /** The one that runs now. */
  readonly custody: () => Running;
  readonly broker: () => Running;
  readonly startCustody: () => void;
  readonly startBroker: () => void;
  /**
   * Holds each answer against the log: the newest head counts a record with the root of its batch, and nothing else is wrong.
   * @param how `dead` allows for what a writer leaves who died
   */
  readonly check: (how: "running" | "dead" | "ended") => Promise<void>;
  readonly end: () => Promise<void>;
}

/** Starts both, and the traffic. */
export async function startRig(random: Random): Promise<Rig> {
  const processes = custodyProcesses();
  const disk = await smallDisk(processes.at("audit"));
  let custody = processes.custody({}, disk.under);
  let broker = processes.broker();
  await processes.until("custody", true);
  await processes.until("broker", true);
  const { signerPublicKey } = await manage(processes.at("manage"), "auditHead");
  const publicKey = createPublicKey({ key: Buffer.from(signerPublicKey), format: "der", type: "spki" });
  const generation = await activeOf(processes.at("manage"));
  const traffic = startTraffic(processes.at("open"), generation, random);
  return {
    processes,
    disk,
    traffic,
    files: { segment: processes.at("audit/audit-000000000001.ndjson"), head: processes.at("audit/audit.head") },
    custody: () => custody,
    broker: () => broker,
    startCustody: () => {
      custody = processes.custody({}, disk.under);
    },
    startBroker: () => {
      broker = processes.broker();
    },
    check: async (how) => {
      const roots = traffic.answers.map(({ root }) => root);
      const allowed = how === "dead" ? LEFT_BY_A_DEATH : new Set<string>();
      const counted = await verified(disk.folder, publicKey, how === "running" ? 60_000 : 0, allowed);
      const recorded = await recordedRoots(disk.folder, counted);
      const missing = roots.filter((root) => !recorded.has(root));
      if (missing.length > 0) throw new Error(`${missing.length} of ${roots.length} answers have no record`);
    },
    end: async () => {
      await processes.end();
      await disk.end();
    },
  };
}

/** How many records the newest head counts. */
async function verified(
  folder: string,
  publicKey: KeyObject,
  patienceMs: number,
  allowed: ReadonlySet<string>,
): Promise<number> {
  const { records, findings } = await verifyAuditLog({ folder, publicKey, patienceMs });
  const wrong = findings.filter(({ code }) => !allowed.has(code));
  if (wrong.length > 0) throw new Error(`the log does not verify: ${JSON.stringify(wrong.slice(0, 5))}`);
  return records;
}

/** Roots of the batches that a log tells of, up to a record. */
async function recordedRoots(folder: string, counted: number): Promise<ReadonlySet<string>> {
  const roots = new Set<string>();
  for (const { name } of await listSegments(folder)) {
    for await (const line of createInterface({ input: createReadStream(join(folder, name)) })) {
      if (!line.endsWith("}")) continue;
      const { seq, kind, root } = JSON.parse(line) as { seq: number; kind: string; root: string };
      if (kind === "decapsulated" && seq <= counted) roots.add(root);
    }
  }
  return roots;
}
