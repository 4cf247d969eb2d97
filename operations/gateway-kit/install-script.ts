import { CREDENTIALS, PLACES, UNIT } from "./places.ts";
import type { KitPlatform } from "./platform.ts";

/** What `uname -m` says of each platform. */
const MACHINES = { "linux-arm64": "aarch64", "linux-amd64": "x86_64" } as const satisfies Record<KitPlatform, string>;

/**
 * The kit's installer, in POSIX sh: looks at everything before it changes anything, and may be run again with a newer kit.
 * `--root` installs into a mounted card instead of the running system.
 */
export function renderInstallScript(name: string, platform: KitPlatform): string {
  return `#!/bin/sh
# Installs the TrustKern gateway ${name} (${platform}). Run it again with a newer kit to upgrade.
set -eu
umask 022
root= key= crt= start=yes
say() { printf '%s\\n' "$*" >&2; }
fail() { say "install.sh: $*"; exit 1; }
usage() { say "usage: install.sh [--device-key FILE --device-cert FILE] [--root DIR] [--no-start]"; exit 2; }
while [ $# -gt 0 ]; do
  case "$1" in
    --device-key) [ $# -ge 2 ] || usage; key=$2; shift ;;
    --device-cert) [ $# -ge 2 ] || usage; crt=$2; shift ;;
    --root) [ $# -ge 2 ] || usage; root=\${2%/}; start=no; shift ;;
    --no-start) start=no ;;
    *) usage ;;
  esac
  shift
done
kit=$(cd "$(dirname "$0")" && pwd)
config=$root${PLACES.config}
program=$root${PLACES.program}

# Before anything is touched.
[ -n "$root" ] || [ "$(id -u)" = 0 ] || fail "must be run as root: sudo sh install.sh"
(cd "$kit" && sha256sum -c --quiet SHA256SUMS) || fail "the kit is damaged: copy it again"
[ -n "$key" ] || [ -f "$config/device.key" ] || fail "name the device's key with --device-key FILE (PKCS#8 PEM)"
[ -n "$crt" ] || [ -f "$config/device.crt" ] || fail "name the maker's certificate of the device with --device-cert FILE (PEM)"
for file in "$key" "$crt"; do [ -z "$file" ] || [ -r "$file" ] && [ ! -d "$file" ] || fail "there is no file $file, or it cannot be read"; done
[ -z "$key" ] || grep -q 'BEGIN PRIVATE KEY' "$key" || fail "$key is no private key in PKCS#8 PEM"
[ -z "$crt" ] || grep -q 'BEGIN CERTIFICATE' "$crt" || fail "$crt is no certificate in PEM"
if [ -z "$root" ]; then
  [ "$(uname -m)" = ${MACHINES[platform]} ] || fail "this kit is for ${platform}, and this machine is $(uname -m)"
  "$kit/bin/node" --version >/dev/null || fail "the Node runtime does not start: it needs libstdc++6 and libatomic1 (apt-get install libstdc++6 libatomic1)"
fi
if [ "$start" = yes ]; then
  version=$(systemctl --version | sed -n '1s/^systemd \\([0-9]*\\).*/\\1/p')
  [ "\${version:-0}" -ge 247 ] || fail "systemd 247 or newer is needed, and this is \${version:-none}"
fi

mkdir -p "$program/bin" "$program/app" "$config" "$root/etc/systemd/system"
put() { cp "$1" "$2.new" && chmod "$3" "$2.new" && mv -f "$2.new" "$2"; }
put "$kit/bin/node" "$program/bin/node" 0755
for file in app/main.mjs app/probe.mjs LICENSE.node README.md; do put "$kit/$file" "$program/$file" 0644; done
for file in config.json ca.crt broker.pins backend.pub; do put "$kit/$file" "$config/$file" 0644; done
umask 077
[ -z "$key" ] || put "$key" "$config/${CREDENTIALS[0]}" 0600
[ -z "$crt" ] || put "$crt" "$config/${CREDENTIALS[1]}" 0600
put "$kit/enrolment.token" "$config/${CREDENTIALS[2]}" 0600
umask 022
put "$kit/${UNIT}.service" "$root/etc/systemd/system/${UNIT}.service" 0644

if [ "$start" = yes ]; then
  systemctl daemon-reload
  systemctl enable ${UNIT}.service
  systemctl restart ${UNIT}.service
  say "${name} is installed; its log: journalctl -u ${UNIT}"
else
  say "${name} is installed, and not started"
fi
`;
}
