import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import { createServer, type Server } from "node:tls";
import { CreateKeyCommand } from "@aws-sdk/client-kms";
import { Moto } from "../integration/aws-kms/moto.ts";
import { PROJECT, scratch } from "./deployment.ts";
import { pythonWith } from "./python.ts";
import { runProgram } from "./run.ts";

const REGION = "eu-central-1";

/** An AWS KMS of moto that pods find under its real name, with a certificate that their images are told to trust. */
export class TestKms {
  /** What a name service has to answer for. */
  readonly name = `kms.${REGION}.amazonaws.com`;
  readonly #own = scratch("kms");
  readonly #moto = new Moto();
  #server: Server | undefined;

  /**
   * Starts it, and has this process find an `aws` that asks it.
   * @param host address of this machine that pods reach
   */
  async start(host: string): Promise<void> {
    await this.#moto.start();
    const [key, cert] = [join(this.#own.dir, "tls.key"), this.certFile];
    const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
    const named = [
      "-subj",
      `/CN=${this.name}`,
      "-addext",
      `subjectAltName=DNS:${this.name}`,
      "-keyout",
      key,
      "-out",
      cert,
    ];
    const { code, stderr } = await runProgram("openssl", [...made, ...named]);
    if (code !== 0) throw new Error(stderr);
    const { port, hostname } = new URL(this.#moto.endpoint);
    this.#server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (client) => {
      const target = connect(Number(port), hostname);
      for (const [one, other] of [[client, target] as const, [target, client] as const]) {
        one.on("error", () => other.destroy());
        one.pipe(other);
      }
    });
    this.#server.listen(443, host);
    await once(this.#server, "listening");
    Object.assign(process.env, await this.#program());
  }

  /** File of the certificate, which is its own authority. */
  get certFile(): string {
    return join(this.#own.dir, "tls.crt");
  }

  /** AWS's shared credentials file, as this KMS takes them. */
  readonly credentials = "[default]\naws_access_key_id = testing\naws_secret_access_key = testing\n";

  /** Makes a key that signs. @returns its id */
  async key(): Promise<string> {
    const client = await this.#moto.client(REGION);
    const asked = new CreateKeyCommand({ KeyUsage: "SIGN_VERIFY", KeySpec: "ECC_NIST_P256" });
    const id = (await client.send(asked)).KeyMetadata?.KeyId;
    if (id === undefined) throw new Error("the KMS has made no key");
    return id;
  }

  async stop(): Promise<void> {
    this.#server?.close();
    await this.#moto.stop();
    this.#own.remove();
  }

  async #program(): Promise<Readonly<Record<string, string>>> {
    const folder = join(PROJECT, "test", "integration", "aws-kms");
    const python = await pythonWith("moto-5.2.5", join(folder, "requirements.txt"));
    const bin = join(this.#own.dir, "bin");
    mkdirSync(bin);
    const file = join(bin, "aws");
    writeFileSync(file, `#!/bin/sh\nexec "${python}" -I "${join(folder, "aws.py")}" "$@"\n`);
    chmodSync(file, 0o755);
    const PATH = [bin, process.env.PATH].join(delimiter);
    const credentials = { AWS_ACCESS_KEY_ID: "testing", AWS_SECRET_ACCESS_KEY: "testing" };
    return { PATH, TEST_KMS: this.#moto.endpoint, ...credentials };
  }
}
