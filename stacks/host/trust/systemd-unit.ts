import { dirname } from "node:path";
import { EXIT } from "../../../shared/errors.ts";

/** What a unit of systemd is rendered for. */
export interface UnitRequest {
  readonly deployment: string;
  /** Absolute path of the program `trustkern`. */
  readonly program: string;
  /** Absolute path of the deployment file. */
  readonly file: string;
  /** State directory, absolute. */
  readonly dir: string;
  /** Folder of Unix sockets, absolute; it may lie outside of the state directory. */
  readonly runDir: string;
  /** Name of the user who deploys. */
  readonly user: string;
  /** SHA-256 of the key that signs start manifests, lower-case hex. */
  readonly signer: string;
}

/** Lines that every unit of this project ends with. */
export const HARDENED = `UMask=0077
LimitCORE=0
MemorySwapMax=0
NoNewPrivileges=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
`;

/**
 * A unit (systemd.service(5), systemd.exec(5)) that unseals custody after each start. It is installed by root: what
 * stands in it, the fingerprint of the signer above all, is out of reach of whoever can write the state directory alone.
 */
export function renderUnit({ deployment, program, file, dir, runDir, user, signer }: UnitRequest): string {
  const writable = [...new Set([dir, runDir])].map(quoted).join(" ");
  return `[Unit]
Description=TrustKern: checks what was deployed, then unseals custody of ${deployment.replaceAll("%", "%%")}
After=docker.service
Wants=docker.service

[Service]
Type=simple
User=${user}
ExecStart=${[program, "keys", "unseal", "--watch", "--signer", signer, "-f", file, "--dir", dir].map(quoted).join(" ")}
# By a signal alone: what ends with an exit code needs a person, and a PIN that is wrong is not tried again.
Restart=on-abnormal
RestartSec=5
ProtectSystem=strict
ReadWritePaths=${writable}
PrivateTmp=${runDir.startsWith(`${dir}/`) ? "yes" : "no"}
PrivateDevices=yes
RestrictAddressFamilies=AF_UNIX
${HARDENED}`;
}

/** What the unit of a token server is rendered for. */
export interface TokenUnitRequest extends Pick<UnitRequest, "deployment" | "program" | "file" | "user"> {
  /** Absolute path of the socket that it listens on. */
  readonly socket: string;
}

/**
 * A unit that serves the token of the decryption keys to custody's container. A token's library may need a device, a state folder
 * or a network of its own; the folder of the socket outlives the unit, since the container has mounted that one.
 */
export function renderTokenUnit({ deployment, program, file, user, socket }: TokenUnitRequest): string {
  const folder = dirname(socket);
  const own = folder.startsWith("/run/")
    ? `RuntimeDirectory=${quoted(folder.slice("/run/".length))}\nRuntimeDirectoryMode=0755\nRuntimeDirectoryPreserve=yes\n`
    : "";
  return `[Unit]
Description=TrustKern: the token of the decryption keys of ${deployment.replaceAll("%", "%%")}
Before=docker.service

[Service]
Type=simple
User=${user}
ExecStart=${[program, "keys", "token-server", "-f", file].map(quoted).join(" ")}
${own}# Not after the exit code of a wrong PIN, which locks a token when it is tried again and again.
Restart=on-failure
RestartPreventExitStatus=${EXIT.authentication}
RestartSec=5
ProtectSystem=full
PrivateTmp=yes
${HARDENED}`;
}

/** One word of a command line (systemd.syntax(7)): specifiers and variables are doubled, so that they mean nothing. */
function quoted(word: string): string {
  const plain = word.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /[\s"'\\;]/.test(plain) ? `"${plain}"` : plain;
}
