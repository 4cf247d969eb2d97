import { readCrl } from "../../../certs/crl.ts";
import type { OperatorClient } from "../operator-client.ts";
import type { Fleet, Member, TokenLine } from "./fleet.ts";
import { gatewaysOnRecord } from "./gateways-elsewhere.ts";

/** The part of a fleet that the backend does, asked as an operator. */
export interface BackendSide extends Pick<Fleet, "announce" | "publishCrls" | "tokens" | "revokeToken"> {
  /** {@link gatewaysOnRecord}, those of this host included. */
  readonly gateways: (issuedHere: readonly string[]) => Promise<readonly Member[]>;
  /** {@link Fleet.newToken}, bound to the certificate with this serial number. */
  readonly newToken: (gateway: string, serial: string) => ReturnType<Fleet["newToken"]>;
}

/** One line of the backend's list of a gateway's tokens. */
interface ListedToken {
  readonly id: string;
  readonly certificate_sha256: string;
  /** RFC 3339. */
  readonly issued_at: string;
  readonly revoked_at?: string | null;
  readonly last_used_at?: string | null;
}

/** Seconds within which a gateway asks the backend, and so uses the token in its file, where the backend does not say when. */
const ASKS_SECONDS = 60;

/** The backend at the other end of operators' clients. */
export function backendSide(client: () => Promise<OperatorClient>, clock: () => Date): BackendSide {
  // A client for each call: authorities change while they are rotated, and with them what it must show.
  const operator: OperatorClient = async (method, path, body) => (await client())(method, path, body);
  const tokensOf = (gateway: string): string => `/v1/gateways/${encodeURIComponent(gateway)}/tokens`;
  return {
    gateways: (issuedHere) => gatewaysOnRecord(operator, issuedHere),
    async announce({ anchors, pins, gatewayAuthorities }) {
      const authorities = gatewayAuthorities && { gateway_authorities: gatewayAuthorities };
      await operator("PUT", "/v1/trust", { anchors, broker_pins: pins, ...authorities });
    },
    async publishCrls(crls, issuers) {
      await operator("PUT", "/v1/crls", { crls, issuers });
    },
    async newToken(gateway, serial) {
      const body = { certificate_serial: serial };
      const { id, token } = (await operator("POST", tokensOf(gateway), body)) as { id: string; token: string };
      return { id, token };
    },
    async tokens(gateway) {
      const lines = (await operator("GET", tokensOf(gateway))) as readonly ListedToken[];
      return lines.map(({ id, certificate_sha256: certificate, revoked_at, last_used_at, issued_at }): TokenLine => {
        const old = clock().getTime() - Date.parse(issued_at) > ASKS_SECONDS * 1000;
        const used = last_used_at === undefined ? old : last_used_at !== null;
        return { id, certificate, revoked: typeof revoked_at === "string", used };
      });
    },
    async revokeToken(gateway, id) {
      await operator("POST", `${tokensOf(gateway)}/${encodeURIComponent(id)}/revoke`, {});
    },
  };
}

/** A revocation list that the broker says it has in force. */
interface InForce {
  readonly issuer: string;
  readonly number: string;
}

/**
 * Whether the broker works with these lists, by the numbers that it says at `GET /status`; a broker that names none takes them
 * with its certificate.
 */
export function brokerHasCrls(inForce: readonly InForce[] | undefined, crls: readonly string[]): boolean {
  if (inForce === undefined) return true;
  // The broker's lists are those of whoever may connect to it: makers' are not among them.
  const brokers = crls.filter((pem) => !readCrl(pem).issuer.includes("CN=TrustKern maker"));
  return brokers.every((pem) => {
    const { number, issuer } = readCrl(pem);
    return inForce.some((one) => commonNameOf(issuer) === one.issuer && BigInt(one.number) >= number);
  });
}

function commonNameOf(name: string): string {
  return /(?:^|, ?)CN=([^,]*)/.exec(name)?.[1] ?? name;
}
