import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { KMSClient } from "@aws-sdk/client-kms";
import { pythonWith } from "../../support/python.ts";

const REQUIREMENTS = join(import.meta.dirname, "requirements.txt");
const PROGRAM = join(import.meta.dirname, "server.py");
const CREDENTIALS = { AWS_ACCESS_KEY_ID: "testing", AWS_SECRET_ACCESS_KEY: "testing" };

/** The API of AWS KMS, as moto serves it at this machine. */
export class Moto {
  endpoint = "";
  #child: ChildProcess | undefined;

  /** Starts it, and lets this process have credentials that it takes. */
  async start(): Promise<void> {
    const python = await pythonWith("moto-5.2.5", REQUIREMENTS);
    const child = spawn(python, ["-I", PROGRAM], { stdio: ["pipe", "pipe", "ignore"] });
    this.#child = child;
    const [port] = await once(child.stdout, "data");
    this.endpoint = `http://127.0.0.1:${String(port).trim()}`;
    Object.assign(process.env, CREDENTIALS);
  }

  /** A client of its own, which makes and changes keys. */
  async client(region: string): Promise<KMSClient> {
    const sdk = await import("@aws-sdk/client-kms");
    return new sdk.KMSClient({ region, endpoint: this.endpoint });
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  }
}
