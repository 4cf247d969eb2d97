import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { SOFTHSM, SoftToken } from "../../integration/signers/soft-token.ts";
import { CustodyToken } from "../custody-token.ts";
import { PROJECT } from "../deployment.ts";
import { TokenServer } from "../token-server.ts";

/** How the example's file is changed beside its tokens. */
export interface ExampleChanges {
  /** How long messages are kept as they came. */
  readonly raw?: string;
}

/** The tokens that the site of examples/air-gapped has, of SoftHSM in place of those of hardware, and what serves them to containers. */
export class SiteTokens {
  readonly custodySocket: string;
  readonly #soft = new SoftToken();
  readonly #issuing = new TokenServer(SOFTHSM);
  #custody: CustodyToken | undefined;

  /** @param folder that is made here, for the socket of custody's token */
  constructor(folder: string) {
    mkdirSync(folder, { mode: 0o755 });
    this.custodySocket = join(folder, "sock");
  }

  /** Variables with which the library of the tokens finds them. */
  get env(): Readonly<Record<string, string>> {
    return { SOFTHSM2_CONF: this.#soft.conf };
  }

  /** The example's file with what its README says to change. */
  example(changes: ExampleChanges = {}): string {
    const file = parse(readFileSync(join(PROJECT, "examples", "air-gapped", "trustkern.yaml"), "utf8"));
    const on = (token: string) => ({ kind: "pkcs11", module: SOFTHSM, token, pinFile: this.#soft.pinFile });
    const accepted = { class: "software", acceptSoftware: "SoftHSM stands in for a token in a test" };
    file.docker = {
      publishAddress: "127.0.0.1",
      tokenSocket: this.#issuing.socket,
      custodySocket: this.custodySocket,
    };
    file.pki = { root: on("plant-south-root"), issuing: on("plant-south-issuing") };
    file.custody = { ...file.custody, ...on("plant-south-custody"), ...accepted };
    file.retention = { ...file.retention, ...changes };
    return JSON.stringify(file);
  }

  /** Makes the tokens, and serves those of the authorities. */
  async serveIssuing(): Promise<void> {
    for (const token of ["root", "issuing", "custody"]) this.#soft.make(`plant-south-${token}`);
    await this.#issuing.start("plant-south-issuing");
  }

  /** @param toolkit the command line of the site where it runs, with its deployment */
  async serveCustody(toolkit: readonly string[]): Promise<void> {
    this.#custody = new CustodyToken(toolkit, this.custodySocket);
    await this.#custody.start();
  }

  async remove(): Promise<void> {
    await this.#custody?.stop();
    await this.#issuing.remove();
    this.#soft.remove();
  }
}
