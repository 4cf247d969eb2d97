import { generateKeyPairSync, randomBytes, sign, verify } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { issueFromCsr } from "../../certs/classes/leaf-gateway.ts";
import { issueLeaves } from "../../certs/deployment.ts";
import { signCsr } from "../../certs/step-ca/client.ts";
import { StepCaHarness } from "../../test/integration/step-ca/harness.ts";
import { backendToken, type Request, requestFor } from "../../test/integration/step-ca/requests.ts";
import { cpuSeconds } from "./cpu.ts";

/** How fast something was done: by one core's time, and by the clock. */
export interface Rate {
  readonly perCpuSecond: number;
  readonly perSecond: number;
}

/** One round of everything that makes a certificate. */
export interface LeavesRound {
  /** node:crypto alone, on as many bytes as a certificate has that are signed. */
  readonly sign: Rate;
  readonly verifyAndSign: Rate;
  readonly makeKeyAndSign: Rate;
  /** `issueLeaves`: a key and its certificate. */
  readonly leaves: Rate;
  /** `issueFromCsr`: what step-ca does as well. */
  readonly requests: Rate;
  /** Real step-ca, whose time alone is counted. */
  readonly stepCa: Rate;
}

/** Everything that makes certificates, ready. */
export interface LeavesBench {
  readonly round: () => Promise<LeavesRound>;
  readonly close: () => Promise<void>;
}

const TO_BE_SIGNED = randomBytes(600);
const NAME = "gw-01";
/** Requests that step-ca has at a time. */
const PARALLEL = 8;

/** Starts step-ca with a webhook that allows everything, and warms everything up. */
export async function prepareLeaves(perRound: number): Promise<LeavesBench> {
  const ca = new StepCaHarness();
  await ca.start();
  const bench = { round: () => round(ca, perRound), close: () => ca.stop() };
  await round(ca, Math.ceil(perRound / 4));
  return bench;
}

async function round(ca: StepCaHarness, count: number): Promise<LeavesRound> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signature = sign("sha256", TO_BE_SIGNED, privateKey);
  const signOne = () => sign("sha256", TO_BE_SIGNED, privateKey);
  const each = (what: () => void) => own(count, async () => times(count, what));
  const [services, gateways, operators] = [
    ca.authority("services"),
    ca.authority("gateways"),
    ca.authority("operators"),
  ];
  const names = Array.from({ length: count }, (_, n) => `gw-${n}`);
  const everybody = { clock: () => new Date(), services: [], gateways: names, operators: [] };
  const asked = await Promise.all(names.map(() => requestFor(NAME)));
  const now = new Date();
  return {
    sign: await each(signOne),
    verifyAndSign: await each(() => verify("sha256", TO_BE_SIGNED, publicKey, signature) && signOne()),
    makeKeyAndSign: await each(() => generateKeyPairSync("ec", { namedCurve: "P-256" }) && signOne()),
    leaves: await own(count, () => issueLeaves({ services, gateways, operators }, everybody)),
    requests: await own(count, () =>
      Promise.all(asked.map((one) => issueFromCsr(gateways, one.csrPem, { name: NAME, now }))),
    ),
    stepCa: await stepCa(ca, asked),
  };
}

/** The rate of this process. */
async function own(count: number, work: () => Promise<unknown>): Promise<Rate> {
  const [cpu, clock] = [process.cpuUsage(), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { perCpuSecond: (count * 1e6) / (user + system), perSecond: (count * 1e3) / (performance.now() - clock) };
}

/** The rate of step-ca's process. Tokens are made before the clock starts; this process is client and webhook meanwhile. */
async function stepCa(ca: StepCaHarness, asked: readonly Request[]): Promise<Rate> {
  const csrs = asked.map(({ csrPem }) => csrPem);
  const tokens = await Promise.all(csrs.map((csrPem) => backendToken(ca, "sign", NAME, { csrPem })));
  const queue = csrs.map((csrPem, n) => ({ csrPem, token: tokens[n] ?? "" }));
  const count = queue.length;
  const pid = processWith(ca.secretFile("gateways-ca", "ca.json"));
  const [cpu, clock] = [cpuSeconds(pid), performance.now()];
  const client = async () => {
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) await signCsr(ca.endpoint("gateways"), next);
  };
  await Promise.all(Array.from({ length: PARALLEL }, client));
  const seconds = (performance.now() - clock) / 1e3;
  return { perCpuSecond: count / (cpuSeconds(pid) - cpu), perSecond: count / seconds };
}

function processWith(argument: string): number {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const found = pids.find((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(argument);
    } catch {
      // It ended in between.
      return false;
    }
  });
  if (found === undefined) throw new Error(`no process has the argument ${argument}`);
  return Number(found);
}

function times(count: number, what: () => void): void {
  for (let n = 0; n < count; n++) what();
}
