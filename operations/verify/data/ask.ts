import { join } from "node:path";
import { serverName } from "../../../model/placement.ts";
import { askProber } from "../probe/ask-prober.ts";
import type { Ask } from "./places/answers.ts";
import type { DataSubject } from "./subject.ts";

/** The component that may ask Loki and itself, by the model. */
const ASKER = "prometheus";
const SECRETS = "/run/secrets";
const LIMIT_MS = 30_000;

/** Asks Loki and Prometheus from beside Prometheus, by its own flow and with its own certificate, which is mounted and not read here. */
export function askFromPrometheus(subject: DataSubject, image: string): Ask {
  const { docker, deployment, rendered, runAs } = subject;
  const mounts = [{ source: join(rendered.layout.secretsDir, ASKER), target: SECRETS }];
  const tls = { caFile: `${SECRETS}/ca.crt`, certFile: `${SECRETS}/tls.crt`, keyFile: `${SECRETS}/tls.key` };
  const beside = { container: ASKER, mounts, user: runAs, timeoutMs: LIMIT_MS };
  const portOf = (component: string): number =>
    rendered.model.components.find(({ name }) => name === component)?.ports.find(({ name }) => name === "https")
      ?.port ?? 0;

  /** Prometheus asks Loki by its name; itself it finds where it listens. */
  const hostOf = async (component: string): Promise<string> => {
    if (component !== ASKER) return serverName(component, deployment.tenant);
    const { listeners } = await askProber(docker, image, { ...beside, question: {} });
    const own = listeners.find(({ protocol, port }) => protocol === "tcp" && port === portOf(ASKER));
    if (own === undefined) throw new Error(`${ASKER} listens on no port ${portOf(ASKER)}`);
    return ["0.0.0.0", "::"].includes(own.address) ? "127.0.0.1" : own.address;
  };

  return async (component, paths) => {
    const host = await hostOf(component);
    const url = `https://${host.includes(":") ? `[${host}]` : host}:${portOf(component)}`;
    const servername = serverName(component, deployment.tenant);
    const gets = paths.map((path) => ({ url, servername, path, tls }));
    const { got = [] } = await askProber(docker, image, { ...beside, question: { timeoutMs: 15_000, gets } });
    return paths.map((path, index) => {
      const answer = got[index] ?? { why: "no answer" };
      if ("why" in answer) throw new Error(`${component} does not answer ${path.split("?")[0]}: ${answer.why}`);
      return answer.body;
    });
  };
}
