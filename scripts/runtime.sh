# Sourced by ./trustkern and ./scripts/test: installs the locked packages once, and puts Node 26 first in PATH.
# usage: ensure_runtime prod|dev   (needs $root; talks on stderr only)

say() { printf '%s\n' "trustkern: $*" >&2; }

ensure_runtime() {
  mode=$1
  command -v node >/dev/null 2>&1 || { say "node is missing; install Node.js >= 20 with npm (Debian: apt-get install nodejs npm)"; exit 2; }
  command -v npm >/dev/null 2>&1 || { say "npm is missing; install npm (Debian: apt-get install npm)"; exit 2; }
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 20 ] || { say "node $major is too old; accepted: 20 or newer, to fetch Node 26 from npm"; exit 2; }
  wanted="$(cksum <"$root/package-lock.json") $(uname -sm)"
  stamp="$root/node_modules/.trustkern-packages"
  has_packages || install_packages
  PATH="$root/node_modules/.bin:$PATH"
  export PATH
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 26 ] || { say "Node 26 is not to be had from npm for $(uname -sm); install Node >= 26 and run this again"; exit 2; }
}

# Whether what is wanted is there; asked again once it is this program's turn to install.
has_packages() {
  have=$(cat "$stamp" 2>/dev/null || true)
  case "$have" in
    "dev "*) mode=dev ;; # a developer's packages are not taken away again
  esac
  [ "$have" = "$mode $wanted" ]
}

install_packages() {
  lock="$root/.install-lock"
  waited=0
  until mkdir "$lock" 2>/dev/null; do
    owner=$(cat "$lock/pid" 2>/dev/null || true)
    if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then rm -rf "$lock"; continue; fi
    waited=$((waited + 1))
    [ "$waited" -lt 600 ] || { say "another install has held $lock for 10 minutes; remove that folder and run this again"; exit 9; }
    sleep 1
  done
  echo $$ >"$lock/pid"
  trap 'rm -rf "$lock"' EXIT INT TERM
  if ! has_packages; then
    say "installing packages (once)"
    if [ "$mode" = prod ]; then omit=--omit=dev; else omit=--include=dev; fi
    (cd "$root" && npm ci "$omit" --ignore-scripts --no-audit --no-fund --loglevel=error >&2) || {
      say "npm could not install the packages; check the network or the registry setting (npm config get registry), then run this again"
      exit 1
    }
    printf '%s\n' "$mode $wanted" >"$stamp"
  fi
  rm -rf "$lock"
  trap - EXIT INT TERM
}
