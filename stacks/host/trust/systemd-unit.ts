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
UMask=0077
LimitCORE=0
MemorySwapMax=0
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=${writable}
PrivateTmp=${runDir.startsWith(`${dir}/`) ? "yes" : "no"}
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
`;
}

/** One word of a command line (systemd.syntax(7)): specifiers and variables are doubled, so that they mean nothing. */
function quoted(word: string): string {
  const plain = word.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /[\s"'\\;]/.test(plain) ? `"${plain}"` : plain;
}
