import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** SoftHSM's library, where Debian has it on every architecture. */
export const SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so";

/** A PKCS #11 token of SoftHSM in a folder of its own. SoftHSM finds it by `SOFTHSM2_CONF`, which is set in this process. */
export class SoftToken {
  readonly folder = mkdtempSync(join(tmpdir(), "tk-softhsm-"));
  readonly token = "trustkern-test";
  readonly pin = "73915504";
  readonly pinFile = join(this.folder, "pin");
  readonly conf = join(this.folder, "softhsm2.conf");

  constructor() {
    mkdirSync(join(this.folder, "tokens"));
    writeFileSync(this.pinFile, `${this.pin}\n`, { mode: 0o600 });
    writeFileSync(this.conf, `directories.tokendir = ${join(this.folder, "tokens")}\nlog.level = ERROR\n`);
    process.env.SOFTHSM2_CONF = this.conf;
    this.make(this.token);
  }

  /** Makes another token with the same PIN beside it. */
  make(label: string): void {
    const made = ["--init-token", "--free", "--label", label, "--so-pin", "11223344", "--pin", this.pin];
    execFileSync("softhsm2-util", made, { stdio: "ignore" });
  }

  /** A key of the token. */
  key(label: string) {
    return { module: SOFTHSM, token: this.token, pinFile: this.pinFile, label };
  }

  /** A file with a PIN. */
  pinIn(name: string, pin: string): string {
    const file = join(this.folder, name);
    writeFileSync(file, pin, { mode: 0o600 });
    return file;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
