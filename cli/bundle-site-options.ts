import type { CommandOption } from "./command.ts";

/** What every command takes that brings versions to a site. */
export const SITE_OPTIONS: readonly CommandOption[] = [
  ["--site <dir>", "folder of the site (default: that of this toolkit, or /opt/trustkern/DEPLOYMENT)"],
  ["--start-key <where>", "age file of the key that signs the start manifest, or root-device (default: this host)"],
  ["--passphrase-file <file>", "the passphrase of that file, one line"],
  ["--dry-run", "print the steps and change nothing"],
];
