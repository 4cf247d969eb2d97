import { kemErrors, sealed } from "../../custody/kem-errors.ts";
import type { Replication } from "../../custody/proto/custody_pb.ts";
import { CHALLENGE_BYTES } from "../../custody/replicas/statement.ts";
import type { MethodsOf } from "../../shared/grpc/definition.ts";
import type { Handlers } from "../runtime/grpc/server.ts";
import type { CustodyLink } from "./custody-link.ts";

const DIGEST = /^[0-9a-f]{64}$/;

/** What answers Replication: the crypto service's word, as it is. */
export function replicationHandlers(link: Pick<CustodyLink, "ask">): Handlers<MethodsOf<typeof Replication>> {
  return {
    state: async ({ challenge, known }) => {
      if (challenge.length !== CHALLENGE_BYTES || !DIGEST.test(known)) {
        const message = `malformed request: challenge of ${challenge.length} bytes, digest of ${known.length} characters`;
        throw kemErrors.error("CUSTODY_KEM_MALFORMED", message);
      }
      const response = await link.ask({ state: { challenge, known } });
      if ("answer" in response) return { ...response.answer, keys: [...response.answer.keys] };
      if ("error" in response && response.error === "sealed") throw sealed();
      const why = "error" in response ? response.code : "it gave another answer than it was asked for";
      throw kemErrors.error("CUSTODY_KEM_UNAVAILABLE", `the crypto service states nothing: ${why}`);
    },
  };
}
