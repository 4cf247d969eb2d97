import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { firstSensor, type ProofContext, proven, type Step } from "./step.ts";

/** What a hostile radio sends, and the verdict that the gateway must give. */
const ATTACKS = [
  { kind: "forged", verdict: "bad-signature" },
  { kind: "replayed", verdict: "replay" },
  { kind: "unknown", verdict: "unknown-sensor" },
] as const;

/** The gateway refuses what is not a fresh message of a known sensor, and its process can open no key but that of its own TLS certificate. */
export const gatewayVerify: Step = {
  id: "gateway-verify",
  async prove(context) {
    const { sensor_id } = firstSensor(context);
    for (const { kind, verdict } of ATTACKS) {
      const answer = (await context.deployed.control("simulator", "POST", "/rogue/sensor", {
        kind,
        sensor_id,
      })) as Answer;
      proven(
        answer.code === "4.00" && answer.payload === verdict,
        `${kind}: expected 4.00 ${verdict}, the gateway answered ${answer.code} ${answer.payload}`,
      );
    }
    const denied = await deniedFiles(context);
    const verdicts = ATTACKS.map(({ verdict }) => verdict).join(", ");
    return `4.00 with ${verdicts}; the gateway's process has none of ${denied} files of others' secrets and of custody open, and is denied each`;
  },
};

interface Answer {
  readonly code: string;
  readonly payload: string;
}

/** Looks from outside at what the gateway's process has open, and has it try every secret that is not its own, and every file of custody. */
async function deniedFiles({ deployed }: ProofContext): Promise<number> {
  const { layout, model, placement } = deployed;
  const gateway = model.components.find(({ service }) => service === "gateway");
  proven(gateway !== undefined, "the deployment has no gateway");
  const own = new Set(gateway.secrets.map(({ file }) => file));
  const custody = ["keys", "state", "audit"].map((volume) => placement.volumeDir("custody", volume));
  const paths = [layout.secretsDir, layout.authoritiesDir, ...custody]
    .flatMap(filesBelow)
    .filter((path) => !own.has(path));
  proven(
    custody.every((folder) => paths.some((path) => path.startsWith(folder))),
    "custody lacks keys, generations or records to try",
  );
  const open = openFiles(deployed.supervisor.pid(gateway.name));
  const held = paths.filter((path) => open.includes(path));
  proven(held.length === 0, `the gateway's process has ${held.join(", ")} open`);
  const answer = await deployed.control(gateway.name, "POST", "/self-test/open", { paths });
  const { results } = answer as { results: readonly { path: string; code: string }[] };
  proven(results.length === paths.length, `the gateway tried ${results.length} of ${paths.length} files`);
  const opened = results.filter(({ code }) => code !== "ERR_ACCESS_DENIED");
  proven(
    opened.length === 0,
    `the gateway's process was not denied ${opened.map(({ path, code }) => `${path} (${code})`).join(", ")}`,
  );
  return paths.length;
}

/** What a process has open, by /proc (proc_pid_fd(5)); nothing where the system has none. */
function openFiles(pid: number | undefined): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((fd) => readlinkSync(join(folder, fd)));
}

function filesBelow(dir: string): readonly string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
