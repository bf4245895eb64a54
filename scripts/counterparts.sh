#!/bin/sh
# Installs the programs of other makers that the tests run against (exporters, servers, a browser), from Debian's packages.
# Only as root and where apt is; never fails the test run: what could not be had is skipped by name in the tests.
# FLOWLENS_COUNTERPARTS=skip switches it off. Nothing installed here starts by itself.
set -u
PATH="$PATH:/usr/sbin:/sbin"
cd "$(dirname "$0")/.." || exit 0
[ "${FLOWLENS_COUNTERPARTS:-}" = skip ] && exit 0

# program or file that must be there, and the Debian package that brings it
wanted="
softflowd softflowd
pmacctd pmacct
ip iproute2
nfcapd nfdump
sfcapd nfdump-sflow
sshd openssh-server
ssh openssh-client
dnsmasq dnsmasq-base
curl curl
python3 python3-minimal
psql postgresql-client
chromium chromium
/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf fonts-dejavu-core
ethtool ethtool
"
# nice to have: installed apart, so that their absence spoils nothing
optional="
ovs-vsctl openvswitch-switch
redis-server redis-server
memcached memcached
mosquitto mosquitto
slapd slapd
/usr/lib/python3/dist-packages/aiosmtpd python3-aiosmtpd
/usr/lib/python3/dist-packages/pyftpdlib python3-pyftpdlib
openssl openssl
"

missing_of() {
  echo "$1" | while read -r proof package; do
    case "$proof" in
      "") continue ;;
      /*) [ -e "$proof" ] || echo "$package" ;;
      *) command -v "$proof" >/dev/null 2>&1 || echo "$package" ;;
    esac
  done | tr '\n' ' '
}

needed=$(missing_of "$wanted")
extra=$(missing_of "$optional")
[ -z "$needed$extra" ] && exit 0

say() { echo "flowlens: $*" >&2; }

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  say "not installed, tests that need them are skipped by name: $needed$extra"
  exit 0
fi

# What apt could not give an hour ago is not asked for again on every run.
mark=node_modules/.counterparts-missing
if [ -f "$mark" ] && [ "$(cat "$mark")" = "$needed$extra" ] && [ -n "$(find "$mark" -mmin -60 2>/dev/null)" ]; then
  say "still missing, tests that need them are skipped by name: $needed$extra"
  exit 0
fi

# Two runs at once would trip over each other's policy-rc.d.
lock=/run/lock/flowlens-counterparts
mkdir -p /run/lock
exec 9>"$lock"
flock -w 600 9 2>/dev/null || { say "another run is installing; going on without it"; exit 0; }

# invoke-rc.d asks policy-rc.d; 101 is "do not start" (Debian's invoke-rc.d policy layer).
policy=/usr/sbin/policy-rc.d
saved=$policy.flowlens-saved
restore() {
  if [ -f "$policy" ] && grep -q flowlens "$policy" 2>/dev/null; then rm -f "$policy"; fi
  if [ -e "$saved" ]; then mv -f "$saved" "$policy"; fi
}
restore
trap restore EXIT
trap 'exit 0' HUP INT TERM
[ -e "$policy" ] && mv "$policy" "$saved"
printf '#!/bin/sh\n# flowlens: while the tests install their counterparts\nexit 101\n' >"$policy" && chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
bounds="-o DPkg::Lock::Timeout=60 -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20"
# Downloading is what can hang, so that is what the time limit ends; dpkg itself is not cut off half way.
get() {
  # shellcheck disable=SC2086
  timeout 240 apt-get install -y -q $bounds --no-install-recommends --download-only "$@" >/dev/null 2>&1 || return 1
  # shellcheck disable=SC2086
  apt-get install -y -q $bounds --no-install-recommends --no-download -o Dpkg::Options::=--force-confold "$@" </dev/null >/dev/null 2>&1
}
# Lists may be absent or old. Without a network this fails, and then nothing else is tried.
refreshed=no
refresh() {
  [ "$refreshed" = no ] || return 1
  refreshed=yes
  # shellcheck disable=SC2086
  timeout 120 apt-get update -q $bounds -o APT::Update::Error-Mode=any >/dev/null 2>&1
}
deadline=$(($(date +%s) + 420))
install_all() {
  # shellcheck disable=SC2086
  get $1 && return
  refresh || return
  # shellcheck disable=SC2086
  get $1 && return
  # one that cannot be had must not take the others with it
  for package in $1; do
    [ "$(date +%s)" -lt "$deadline" ] || return
    get "$package"
  done
}

say "installing what the tests run against, once: $needed$extra"
[ -n "$needed" ] && install_all "$needed"
[ -n "$extra" ] && install_all "$extra"

left="$(missing_of "$wanted")$(missing_of "$optional")"
if [ -n "$left" ]; then
  say "could not be installed, tests that need them are skipped by name: $left"
  [ -d node_modules ] && printf '%s' "$left" >"$mark"
else
  rm -f "$mark"
fi
exit 0
