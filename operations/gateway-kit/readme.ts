import { PLACES, UNIT } from "./places.ts";
import type { KitPlatform } from "./platform.ts";

/** What the kit's README is rendered from. */
export interface ReadmeOptions {
  readonly name: string;
  readonly platform: KitPlatform;
  /** Ends of the connections that it opens, such as `backend 192.0.2.1:8443`. */
  readonly reaches: readonly string[];
  readonly expiresAt: string;
}

/** The README of a kit, for whoever stands before the machine. */
export function renderReadme({ name, platform, reaches, expiresAt }: ReadmeOptions): string {
  return `# TrustKern gateway ${name} (${platform})

This archive holds a credential: whoever has it and the device's key can become ${name}. It works once, until ${expiresAt}.
Delete the archive and this folder when the gateway runs.

## Before
- Debian 11 or newer, or Raspberry Pi OS (64 bit), with systemd 247 and sha256sum; libstdc++6 and libatomic1. A clock that is right.
- The device's own key (P-256, PKCS#8 PEM) and its maker's certificate with the maker's authority (PEM). The deployment has the device
  on record under the name ${name}: \`trustkern device import\`, \`trustkern gateway assign\`.
- It reaches ${reaches.join(" and ")}. Sensors reach it at UDP port 5683.

## Install
    tar -xzf ${name}.tar.gz && cd ${UNIT}-${name}
    sudo sh install.sh --device-key device.key --device-cert device.crt

With \`--root DIR\` it installs into a mounted card and starts nothing. Run it again with a newer kit: keys, certificate and messages stay.

## See
    systemctl status ${UNIT}
    journalctl -u ${UNIT} | grep -e ENROLLED -e enrolment
    sudo ${PLACES.program}/bin/node ${PLACES.program}/app/probe.mjs ${PLACES.run}/control.sock && echo ready

| log | what to do |
|---|---|
| \`ENROLMENT_TOKEN_EXPIRED\`, \`ENROLMENT_TOKEN_REVOKED\` | ask for a new kit: \`trustkern gateway export ${name}\` |
| \`ENROLMENT_TOKEN_USED\` | somebody enrolled with it. If that was this machine and the answer got lost: \`trustkern gateway allow-again ${name}\`, then a new kit. If not: \`trustkern gateway revoke ${name}\` |
| \`ENROLMENT_TOKEN_INVALID\` | the kit is of another gateway or another device |
| \`DENIED_UNKNOWN_DEVICE\`, \`DENIED_NAME_NOT_ALLOWED\` | the device is not on record, or has no name |
| \`GATEWAY_BACKEND_AWAY\` | the network, or the clock; it tries again by itself |

## Where things are
| what | where |
|---|---|
| program and runtime | \`${PLACES.program}\` |
| configuration, anchors, pins (nothing secret) | \`${PLACES.config}\` |
| device key and certificate, used token (root's alone) | \`${PLACES.config}\` |
| certificate, messages that wait | \`${PLACES.state}\` |
`;
}
