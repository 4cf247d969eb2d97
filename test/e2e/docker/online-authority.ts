import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { issuingServerName, type OnlineClass } from "../../../certs/names.ts";
import { signCsr } from "../../../certs/step-ca/client.ts";
import { PROVISIONERS, STEP_CA_PORTS } from "../../../certs/step-ca/names.ts";
import { jwkToken } from "../../../certs/step-ca/tokens.ts";
import type { StepCaEndpoint } from "../../../certs/step-ca/transport.ts";
import { openOperatorsKey } from "../../../stacks/host/operators-key.ts";
import { requestFor } from "../../integration/step-ca/requests.ts";
import { docker, type Example } from "../../support/docker.ts";

/** Where this host reaches an online authority of the example. */
export function onlineAuthority({ dir, tenant }: Example, leafClass: OnlineClass): StepCaEndpoint {
  return {
    host: "127.0.0.1",
    port: STEP_CA_PORTS[leafClass],
    servername: issuingServerName(leafClass, tenant),
    rootPem: readFileSync(join(dir, "authorities", "root.crt"), "utf8"),
  };
}

/** An operator's certificate and its chain, from the container of the operators' authority. */
export async function issueOperator(example: Example): Promise<string> {
  const ca = onlineAuthority(example, "operators");
  const passphrase = () => example.secret("authorities", "passphrase");
  const keyPem = await openOperatorsKey({ authoritiesDir: join(example.dir, "authorities"), passphrase });
  const { csrPem } = await requestFor("op-admin");
  const { operators: provisioner } = PROVISIONERS;
  const wanted = { provisioner, servername: ca.servername, use: "sign", subject: "op-admin" } as const;
  return signCsr(ca, { token: await jwkToken({ ...wanted, keyPem, now: new Date(), csrPem }), csrPem });
}

/** {@link issueOperator}, again and again while the authority starts. */
export async function issueOperatorWithin(example: Example, seconds: number): Promise<string> {
  for (const end = Date.now() + seconds * 1_000; ; await pause(500)) {
    try {
      return await issueOperator(example);
    } catch (thrown) {
      if (Date.now() > end) throw thrown;
    }
  }
}

/** All that the engine says of a container. */
export async function inspectRaw(name: string) {
  return JSON.parse((await docker(["inspect", name])).stdout)[0];
}
