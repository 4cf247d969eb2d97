import { NO_INSPECTOR } from "../../modules/common.ts";
import { HARDENED } from "../../stacks/host/trust/systemd-unit.ts";
import { CREDENTIALS, PLACES, UNIT } from "./places.ts";

/**
 * The unit (systemd.service(5), systemd.exec(5)) of a gateway on a machine of its own: a user that there is only while it runs,
 * no capability, nothing writable but its state. The device's key is root's; the unit sees a copy in memory.
 * V8 compiles while it runs, so that MemoryDenyWriteExecute= is not among its lines.
 */
export function renderGatewayUnit(name: string): string {
  const credentials = CREDENTIALS.map((each) => `LoadCredential=${each}:${PLACES.config}/${each}`).join("\n");
  const command = [
    `${PLACES.program}/bin/node`,
    "--disable-warning=ExperimentalWarning",
    NO_INSPECTOR,
    `${PLACES.program}/app/main.mjs`,
    "--config",
    `${PLACES.config}/config.json`,
  ];
  return `[Unit]
Description=TrustKern: gateway ${name}
Documentation=file://${PLACES.program}/README.md
After=network-online.target time-sync.target
Wants=network-online.target

[Service]
Type=exec
DynamicUser=yes
ExecStart=${command.join(" ")}
${credentials}
StateDirectory=${UNIT}
StateDirectoryMode=0700
RuntimeDirectory=${UNIT}
RuntimeDirectoryMode=0700
Restart=always
RestartSec=5
TasksMax=64
MemoryMax=256M
ProtectSystem=strict
ProtectHome=yes
ProtectProc=invisible
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
RemoveIPC=yes
CapabilityBoundingSet=
AmbientCapabilities=
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
${HARDENED}`;
}
