import type { Model } from "../../model/boundary.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { HostPki } from "./host-pki.ts";
import type { Layout } from "./layout.ts";
import type { OperatorClient } from "./operator-client.ts";
import type { Fleet } from "./rotation/fleet.ts";

/** A deployment, as the commands for its certificates see it: whichever engine runs it. */
export interface CertsSite {
  readonly layout: Layout;
  readonly model: Model;
  readonly tenant: string;
  readonly clock: () => Date;
  /** File of a component's secret on this machine. */
  readonly secretFile: (component: string, secret: string) => string;
  readonly pki: HostPki;
  /** Where the deployment says that the authorities' keys are. */
  readonly keyPlaces: Deployment["pki"];
  /** Whether the vendor's staff get certificates. */
  readonly support: Deployment["support"];
  /** Gives what was written to who runs the components. */
  readonly handOver: () => Promise<void>;
  /** A client of the backend with an operator's certificate. */
  readonly operator: () => Promise<OperatorClient>;
  readonly fleet: () => Promise<Fleet>;
}

/** Where the journal of a rotation is. */
export function journalFileOf({ layout }: Pick<CertsSite, "layout">): string {
  return `${layout.dir}/rotation.json`;
}

/** The lock that everything holds which changes certificates, for as long as it does. */
export function certsLockOf({ layout }: Pick<CertsSite, "layout">): string {
  return `${layout.dir}/lock.certs`;
}
