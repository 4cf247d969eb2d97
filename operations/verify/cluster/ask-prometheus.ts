import { readFileSync } from "node:fs";
import { type RequestOptions, request } from "node:https";
import { join } from "node:path";
import { z } from "zod";
import { messageOf } from "../../../shared/errors.ts";
import { type Patience, until } from "../data/message/until.ts";
import type { Answered } from "../running/observation.ts";
import type { ClusterSubject } from "./subject.ts";

const ASKED = "prometheus";
const LIMIT_MS = 15_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** Asks for paths by HTTPS; the texts of answers of 200. */
export type AskPrometheus = (paths: readonly string[]) => Promise<readonly string[]>;

/** Asks the deployment's Prometheus through the API server, with the certificate that it reads its own metrics with. */
export function askPrometheus({ cluster, forwards }: Pick<ClusterSubject, "cluster" | "forwards">): AskPrometheus {
  const { layout, plan } = cluster;
  return async (paths) => {
    if (plan.pods.every(({ name }) => name !== ASKED)) throw new Error(`${ASKED} runs elsewhere`);
    const endpoint = await forwards.endpoint(ASKED, "https");
    const file = (name: string): Buffer => readFileSync(join(layout.secretsDir, ASKED, name));
    const tls = { ca: file("ca.crt"), cert: file("tls.crt"), key: file("tls.key"), minVersion: "TLSv1.3" } as const;
    const answers: string[] = [];
    for (const path of paths) answers.push(await get({ ...endpoint, ...tls, path }));
    return answers;
  };
}

type Get = RequestOptions & { readonly path: string };

function get(options: Get): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request({ ...options, agent: false, signal: AbortSignal.timeout(LIMIT_MS) }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_BYTES) call.destroy(new Error(`the answer has more than ${MAX_BYTES} bytes`));
        else chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString("utf8"));
        else reject(new Error(`${ASKED} answers ${options.path.split("?")[0]} with ${response.statusCode}`));
      });
    });
    call.on("error", reject);
    call.end();
  });
}

const targets = z.object({
  data: z.object({
    activeTargets: z.array(z.object({ labels: z.record(z.string(), z.string()), health: z.string() })),
  }),
});

/** Longest wait for every target to be up: Prometheus reads each of them each 15 s, and a new one not before that. */
const TARGETS_MS = 20_000;

/**
 * How Prometheus says that the targets of each job are, after a while in which one that was just started is read.
 * @throws DEPLOY_CANCELLED when `signal` aborts
 */
export async function targetsOf(
  ask: AskPrometheus,
  { clock, signal, limitMs = TARGETS_MS }: Pick<Patience, "clock" | "signal"> & Partial<Pick<Patience, "limitMs">>,
): Promise<Answered<ReadonlyMap<string, readonly string[]>>> {
  let seen: Answered<ReadonlyMap<string, readonly string[]>> = { why: "Prometheus was not asked for its targets" };
  const isUp = async (): Promise<boolean> => {
    try {
      const [text = ""] = await ask(["/api/v1/targets?state=active"]);
      seen = { answer: healthOf(text) };
      return [...seen.answer.values()].flat().every((health) => health === "up");
    } catch (thrown) {
      seen = { why: `Prometheus could not be asked for its targets: ${messageOf(thrown)}` };
      return true;
    }
  };
  await until(isUp, { limitMs, everyMs: 1_000, clock, signal });
  return seen;
}

/** By job, the health of its targets. @throws where it is no answer of Prometheus */
export function healthOf(text: string): ReadonlyMap<string, readonly string[]> {
  const { activeTargets } = targets.parse(JSON.parse(text)).data;
  const byJob = Map.groupBy(activeTargets, ({ labels }) => labels.job ?? "");
  return new Map([...byJob].map(([job, all]) => [job, all.map(({ health }) => health)]));
}
