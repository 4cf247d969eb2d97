import { messageOf } from "../../shared/errors.ts";
import type { Get, ProbeAnswer } from "../../shared/prober.ts";
import { httpsGet } from "../runtime/https-get.ts";
import { readTls } from "../runtime/tls.ts";

const MAX_BYTES = 64 * 1024 * 1024;

type Got = NonNullable<ProbeAnswer["got"]>[number];

/** Asks by HTTPS over TLS 1.3, one question after the other, with a certificate that lies in files. */
export async function getAll(gets: readonly Get[], timeoutMs: number): Promise<Got[]> {
  const got: Got[] = [];
  for (const { url, servername, path, tls } of gets) {
    try {
      got.push({ body: await httpsGet({ url, servername }, path, readTls(tls), { timeoutMs, maxBytes: MAX_BYTES }) });
    } catch (thrown) {
      got.push({ why: messageOf(thrown) });
    }
  }
  return got;
}
