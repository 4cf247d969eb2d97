import { join } from "node:path";
import type { StepResult } from "../stacks/embedded/proof/index.ts";
import type { VerdictCounts } from "../stacks/embedded/traffic.ts";
import type { Up, UpReport } from "../stacks/embedded/up.ts";
import type { Second } from "../stacks/embedded/watch.ts";
import type { Paint } from "./paint.ts";
import { wrap } from "./wrap.ts";

const PROOF_COLUMNS = 76;
const INDENT = 32;

/** One row of the table of steps; a long proof goes on below itself. */
export function stepLine({ id, ok, proof, ms }: StepResult, paint: Paint): string {
  const mark = ok ? paint("green", "proven") : paint("red", "FAILED");
  const [first = "", ...rest] = wrap(proof, PROOF_COLUMNS);
  const head = `${mark}  ${id.padEnd(16)} ${`${(ms / 1000).toFixed(1)} s`.padStart(6)} `;
  return `${[head + first, ...rest.map((line) => " ".repeat(INDENT) + line)].join("\n")}\n`;
}

/** What the steps came to. */
export function stepsLine(steps: readonly StepResult[], paint: Paint): string {
  const failed = steps.filter(({ ok }) => !ok).map(({ id }) => id);
  const summary =
    failed.length === 0
      ? paint("green", `all ${steps.length} steps proven`)
      : paint("red", `not proven: ${failed.join(", ")}`);
  return `${summary}\n`;
}

/** What a run with an end came to. */
export function reportLines({ steps, accepted, rejected, rows }: UpReport, paint: Paint): string {
  return `${stepsLine(steps, paint)}accepted ${accepted}, rows ${rows}
rejected at the gateway: ${counts(rejected.gateway)}
rejected at the collector: ${counts(rejected.collector)}
`;
}

/** One line for each second of a deployment that is up; it names verdicts only when something new was rejected. */
export function trafficLines(): (second: Second, at: Date) => string {
  let shown = "";
  return ({ accepted, rejected, rows, messagesPerSecond, trouble }, at) => {
    const detail = `gateway: ${counts(rejected.gateway)}; collector: ${counts(rejected.collector)}`;
    const total = `gateway ${sum(rejected.gateway)}, collector ${sum(rejected.collector)}`;
    const parts = [
      at.toISOString().slice(11, 19),
      `accepted ${accepted}`,
      `rows ${rows}`,
      `${messagesPerSecond.toFixed(1)} messages/s`,
      `rejected at ${total}`,
      ...(trouble === undefined ? [] : [`waiting: ${trouble}`]),
    ];
    const news = detail === shown ? "" : `          rejected so far, the steps' own attacks included: ${detail}\n`;
    shown = detail;
    return `${news}${parts.join("  ")}\n`;
  };
}

function sum(verdicts: VerdictCounts): number {
  return Object.values(verdicts).reduce((total, n) => total + n, 0);
}

/** A word for a POSIX shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function counts(verdicts: VerdictCounts): string {
  const given = Object.entries(verdicts).filter(([, n]) => n > 0);
  return given.length === 0 ? "none" : given.map(([verdict, n]) => `${verdict} ${n}`).join(" ");
}

/** Where things are, and how to look and to send oneself. */
export function addresses({ deployed, sensors, fixture }: Up, paint: Paint): string {
  const { placement, layout } = deployed;
  const broker = placement.endpoint("broker", "mqtts");
  const database = placement.endpoint("database", "postgres");
  const gateway = deployed.model.components.find(({ service }) => service === "gateway")?.name ?? "";
  const own = (name: string): string => quoted(join(layout.secretsDir, gateway, name));
  const password = quoted(placement.secretFile("database", "reader.password"));
  const sensor = sensors[0]?.sensor_id ?? "";
  const publish = `mosquitto_pub -h ${broker.host} -p ${broker.port} --cafile ${own("ca.crt")} --cert ${own("tls.crt")} --key ${own("tls.key")} -q 1`;
  const blocks: readonly (readonly [string, string])[] = [
    ["broker", `mqtts://${broker.host}:${broker.port} (TLS 1.3, client certificate)`],
    ["database", `PGPASSWORD="$(cat ${password})" psql -h ${database.host} -p ${database.port} -U reader trustkern`],
    ["logs", layout.logsDir],
    [
      "have a sensor measure and send now",
      `curl --unix-socket ${quoted(placement.socket("simulator", "control"))} -X POST http://simulator/sensors/${sensor}/measure`,
    ],
    ...(fixture === undefined
      ? []
      : [
          [
            "send the first envelope of the fixture as its gateway",
            `${firstEnvelope(fixture.file)} | ${publish} -s -t tk/v1/${gateway}/up/${fixture.sensor}`,
          ] as const,
        ]),
  ];
  return `\n${blocks.map(([title, text]) => `${paint("bold", title)}\n  ${text}\n`).join("")}\n`;
}

/** Prints the bytes of the first case of a vectors file. */
function firstEnvelope(file: string): string {
  return `node -e 'process.stdout.write(Buffer.from(require(process.argv[1]).single[0].envelope, "hex"))' ${quoted(file)}`;
}
