#!/bin/bash
# A small ISP of real FRRouting and Linux devices in network namespaces of this machine. Everything it makes is under one run folder.
#
#   internet -- transit ==+== edge1 --+-- core -- trigger1 (RTBH, route reflector)
#                         +== edge2 --+
#   edge1, edge2 -- sw1 (Linux bridge) -- p1: esthost, p2: bystander      bgpcust (own AS) -- edge1, edge2
#
# The controller reaches trigger1, edge1, edge2 and sw1 over the bridge nrlab0 (10.20.0.1/16) of this machine's own namespace.
set -euo pipefail
PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH

HERE=$(cd "$(dirname "$0")" && pwd)
RUN=${NULLROUTE_LAB:-/run/nullroute-lab}
ACCOUNT=nullroute
COMMENT='nullroute lab'
BRIDGE=nrlab0
ROUTERS=(transit edge1 edge2 trigger1 bgpcust)
HOSTS=(internet esthost bystander)
declare -A MANAGED=([trigger1]=10.20.0.12 [edge1]=10.20.0.21 [edge2]=10.20.0.22 [sw1]=10.20.0.31)

usage() {
  cat <<'TEXT'
usage: lab.sh COMMAND [--run FOLDER]        (FOLDER: default $NULLROUTE_LAB, else /run/nullroute-lab)

  up             starts the lab and says what to try; does nothing where it is up
  down           stops it and takes all of it away
  status         devices, BGP sessions, and whether the hosts answer
  stop NAME      switches one device off (trigger1, edge1, edge2, sw1, transit, bgpcust)
  start NAME     switches it on again: it comes up with what it has saved
  exec NAME CMD… runs a command inside a device or host
TEXT
}

fail() {
  echo "lab: $*" >&2
  exit 1
}

need() {
  local missing=() pair
  for pair in /usr/lib/frr/zebra:frr /usr/lib/frr/watchfrr:frr /usr/bin/vtysh:frr /usr/sbin/sshd:openssh-server \
    /usr/bin/ssh-keygen:openssh-client ip:iproute2 nft:nftables ping:iputils-ping sudo:sudo sysctl:procps; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
    echo "lab: these Debian packages are missing: ${missing[*]}" >&2
    echo "     apt-get install -y ${missing[*]}" >&2
    exit 1
  fi
  [ "$(id -u)" = 0 ] || fail "needs root, for network namespaces: sudo $0 ${COMMAND:-up}"
}

is_up() { [ -e "$RUN/ready" ]; }

# The bridge says whose lab it is: names of namespaces are fixed, so there is one lab a machine.
only_ours() {
  local owner
  owner=$(ip link show dev $BRIDGE 2>/dev/null | sed -n 's/^ *alias //p' || true)
  [ -z "$owner" ] || [ "$owner" = "$RUN" ] ||
    fail "there is a lab on this machine already, in $owner: use it, or end it with $0 down --run $owner"
}
ns() { echo "nrlab-$1"; }
inside() { # NAME COMMAND…
  local name=$1
  shift
  ip netns exec "$(ns "$name")" "$@"
}

# --- the wires

wire() { # NAME INTERFACE NAME INTERFACE: a veth between two namespaces
  ip link add "$2" netns "$(ns "$1")" type veth peer name "$4" netns "$(ns "$3")"
}

make_wires() {
  local name
  for name in "${ROUTERS[@]}" "${HOSTS[@]}" sw1 core; do ip netns add "$(ns "$name")"; done
  ip link add $BRIDGE type bridge
  ip link set $BRIDGE alias "$RUN"
  ip address add 10.20.0.1/16 dev $BRIDGE
  ip link set $BRIDGE up
  for name in "${!MANAGED[@]}"; do
    ip link add "nrl-$name" type veth peer name mgmt0 netns "$(ns "$name")"
    ip link set "nrl-$name" master $BRIDGE up
  done
  wire internet eth0 transit net0
  wire transit e1 edge1 transit0
  wire transit e2 edge2 transit0
  for name in trigger1 edge1 edge2; do wire "$name" core0 core "$name"; done
  wire edge1 lan0 sw1 u1
  wire edge2 lan0 sw1 u2
  wire esthost eth0 sw1 p1
  wire bystander eth0 sw1 p2
  wire edge1 cust0 bgpcust edge1
  wire edge2 cust0 bgpcust edge2
  inside core ip link add br0 type bridge
  for name in trigger1 edge1 edge2; do inside core ip link set "$name" master br0 up; done
  inside core ip link set br0 up
}

address() { # NAME INTERFACE ADDRESS…
  local name=$1 interface=$2 each
  shift 2
  inside "$name" ip link set "$interface" up
  for each in "$@"; do
    case $each in
      *:*) inside "$name" ip address replace "$each" dev "$interface" nodad ;;
      *) inside "$name" ip address replace "$each" dev "$interface" ;;
    esac
  done
}

# What a machine has from its own network configuration when it is switched on.
network() { # NAME
  local name=$1
  inside "$name" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
    net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
    net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
  inside "$name" ip link set lo up
  if [ -n "${MANAGED[$name]:-}" ]; then address "$name" mgmt0 "${MANAGED[$name]}/16"; fi
  case $name in
    transit)
      address transit net0 198.51.100.1/24 2001:db8:1::1/64
      address transit e1 192.0.2.33/30 2001:db8:0:1::1/64
      address transit e2 192.0.2.37/30 2001:db8:0:2::1/64
      ;;
    edge1)
      address edge1 transit0 192.0.2.34/30 2001:db8:0:1::2/64
      address edge1 core0 192.0.2.11/27 2001:db8:0:c::11/64
      address edge1 lan0 203.0.113.1/24 2001:db8:e57::1/64
      address edge1 cust0 192.0.2.41/30 2001:db8:0:9::1/64
      ;;
    edge2)
      address edge2 transit0 192.0.2.38/30 2001:db8:0:2::2/64
      address edge2 core0 192.0.2.12/27 2001:db8:0:c::12/64
      address edge2 lan0 203.0.113.2/24 2001:db8:e57::2/64
      address edge2 cust0 192.0.2.45/30
      ;;
    trigger1) address trigger1 core0 192.0.2.1/27 2001:db8:0:c::1/64 ;;
    bgpcust)
      address bgpcust edge1 192.0.2.42/30 2001:db8:0:9::2/64
      address bgpcust edge2 192.0.2.46/30
      address bgpcust lo 192.0.2.129/32 2001:db8:b09::1/128
      ;;
    sw1)
      inside sw1 ip link show br0 >/dev/null 2>&1 || inside sw1 ip link add br0 type bridge
      for port in u1 u2 p1 p2; do inside sw1 ip link set "$port" master br0 up; done
      inside sw1 ip link set br0 up
      ;;
    internet) host internet 198.51.100.10/24 198.51.100.1 2001:db8:1::10/64 2001:db8:1::1 ;;
    esthost) host esthost 203.0.113.10/24 203.0.113.1 2001:db8:e57::10/64 2001:db8:e57::1 ;;
    bystander) host bystander 203.0.113.20/24 203.0.113.1 2001:db8:e57::20/64 2001:db8:e57::1 ;;
  esac
}

host() { # NAME ADDRESS4 GATEWAY4 ADDRESS6 GATEWAY6
  inside "$1" sysctl -qw net.ipv6.conf.all.forwarding=0
  address "$1" eth0 "$2" "$4"
  inside "$1" ip route replace default via "$3"
  inside "$1" ip -6 route replace default via "$5"
}

# --- the daemons

# Runs inside the namespace and a mount namespace of its own, in which the device has its own /etc/frr, /run/frr, /etc/nullroute and sudoers.
BOOT='
set -eu
name=$1 device=$2 managed=$3
if [ -d "$device/etc-frr" ]; then
  mount --bind "$device/etc-frr" /etc/frr
  mount --bind "$device/run-frr" /var/run/frr
  cd /
  for daemon in zebra staticd bgpd; do
    timeout 20 /usr/lib/frr/$daemon -d -u frr -g frr </dev/null >>"$device/boot.log" 2>&1
  done
  timeout 20 vtysh -b </dev/null >>"$device/boot.log" 2>&1
  timeout 20 /usr/lib/frr/watchfrr -d -r "/bin/true %s" -s "/bin/true %s" -k "/bin/true %s" zebra staticd bgpd \
    </dev/null >>"$device/boot.log" 2>&1
else
  mount --bind "$device/etc-nullroute" /etc/nullroute
  mount --bind "$device/sudoers.d" /etc/sudoers.d
  mount --bind "$device/sbin" /usr/local/sbin
  nft -f /etc/nullroute/table.nft
  /usr/local/sbin/nullroute-restore >>"$device/boot.log" 2>&1 || true
fi
if [ -n "$managed" ]; then
  timeout 20 /usr/sbin/sshd -f "$device/sshd_config" -E "$device/sshd.log" </dev/null >/dev/null 2>&1
fi
'

boot() { # NAME
  local name=$1
  network "$name"
  inside "$name" bash -c "$BOOT" boot "$name" "$RUN/$name" "${MANAGED[$name]:-}" </dev/null ||
    fail "$name does not start: see $RUN/$name/boot.log"
}

# Only what runs in a namespace of ours, by process id.
kill_inside() { # NAME
  local pids left
  pids=$(ip netns pids "$(ns "$1")" 2>/dev/null || true)
  [ -n "$pids" ] || return 0
  # watchfrr first, or it would look after the others.
  # shellcheck disable=SC2086
  kill -9 $pids 2>/dev/null || true
  for _ in $(seq 50); do
    left=$(ip netns pids "$(ns "$1")" 2>/dev/null || true)
    [ -n "$left" ] || return 0
    sleep 0.1
  done
}

is_device() { [ -n "$1" ] && [ -d "$RUN/$1" ] && [ -e "$RUN/$1/boot.log" ]; }

stop() { # NAME
  is_up || fail "the lab is not up"
  is_device "$1" || fail "there is no device \"$1\" (trigger1, edge1, edge2, sw1, transit, bgpcust)"
  kill_inside "$1"
  # A machine without power has no routes, no filters and no link.
  inside "$1" nft flush ruleset
  for link in $(inside "$1" sh -c 'ls /sys/class/net'); do inside "$1" ip link set "$link" down; done
  # With the links go all routes but those that need none. Routes of FRR hang on next-hop objects, which a flush of routes stumbles over.
  inside "$1" ip nexthop flush >/dev/null 2>&1 || true
  inside "$1" ip route flush table main 2>/dev/null || true
  inside "$1" ip -6 route flush table main 2>/dev/null || true
  rm -f "$RUN/$1"/run-frr/*
  touch "$RUN/$1/off"
}

start() { # NAME
  is_up || fail "the lab is not up"
  is_device "$1" || fail "there is no device \"$1\""
  if [ ! -e "$RUN/$1/off" ]; then
    echo "$1 is on"
    return 0
  fi
  rm -f "$RUN/$1/off"
  boot "$1"
}

# --- the files

make_account() {
  if ! getent passwd $ACCOUNT >/dev/null; then
    useradd --system --no-create-home --home-dir / --shell /bin/sh --comment "$COMMENT" $ACCOUNT
  elif [ "$(getent passwd $ACCOUNT | cut -d: -f5)" != "$COMMENT" ]; then
    fail "this machine has an account \"$ACCOUNT\" of its own, which the lab will not touch"
  fi
  # sshd without PAM refuses even keys for an account whose password is "!".
  usermod -p '*' -aG frrvty,frr $ACCOUNT
}

make_files() {
  local name device
  mkdir -p "$RUN/inventory/keys" /run/sshd
  touch "$RUN/.nullroute-lab"
  chmod 755 "$RUN"
  make_account
  cp "$HERE/config/inventory.yaml" "$RUN/inventory/inventory.yaml"
  ssh-keygen -q -t ed25519 -N '' -C nullroute-lab -f "$RUN/inventory/keys/nullroute" </dev/null
  : >"$RUN/inventory/known_hosts"
  for name in "${ROUTERS[@]}" sw1; do
    device=$RUN/$name
    mkdir -p "$device"
    : >"$device/boot.log"
    [ "$name" = sw1 ] || make_frr "$device" "$name"
    [ -z "${MANAGED[$name]:-}" ] || make_sshd "$device" "$name"
  done
  device=$RUN/sw1
  mkdir -p "$device/etc-nullroute/state.d" "$device/sudoers.d" "$device/sbin"
  cp "$HERE/config/sw1/table.nft" "$device/etc-nullroute/table.nft"
  install -m 0755 "$HERE/config/sw1/nullroute-restore" "$device/sbin/nullroute-restore"
  install -m 0440 "$HERE/config/sw1/sudoers" "$device/sudoers.d/nullroute"
  : | tee "$device/etc-nullroute/state.d/routes" "$device/etc-nullroute/state.d/elements" >"$device/etc-nullroute/state.d/ports"
  chown -R $ACCOUNT "$device/etc-nullroute/state.d"
  chmod 750 "$device/etc-nullroute/state.d"
  # Something to mount over.
  if [ ! -d /etc/nullroute ]; then
    mkdir /etc/nullroute
    touch "$RUN/etc-made"
  fi
  mkdir -p /var/run/frr
}

make_frr() { # FOLDER NAME
  mkdir -p "$1/etc-frr" "$1/run-frr"
  cp "$HERE/config/$2.conf" "$1/etc-frr/frr.conf"
  printf 'service integrated-vtysh-config\nhostname %s\n' "$2" >"$1/etc-frr/vtysh.conf"
  chown -R frr:frr "$1/etc-frr" "$1/run-frr"
  chown frr:frrvty "$1/etc-frr/vtysh.conf"
  chmod 750 "$1/etc-frr"
  chmod 640 "$1"/etc-frr/*
  chmod 755 "$1/run-frr"
}

make_sshd() { # FOLDER NAME
  local users=$ACCOUNT
  # The Linux driver works by a sudo fragment and as root: the switch lets both in.
  [ "$2" != sw1 ] || users="$ACCOUNT root"
  ssh-keygen -q -t ed25519 -N '' -C "$2" -f "$1/host_key" </dev/null
  echo "${MANAGED[$2]} $(cut -d' ' -f1,2 "$1/host_key.pub")" >>"$RUN/inventory/known_hosts"
  cat >"$1/sshd_config" <<TEXT
ListenAddress ${MANAGED[$2]}:22
HostKey $1/host_key
PidFile $1/sshd.pid
AuthorizedKeysFile $RUN/inventory/keys/nullroute.pub
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
AllowUsers $users
PermitRootLogin prohibit-password
AllowTcpForwarding no
X11Forwarding no
MaxStartups 100
TEXT
  [ "$2" = sw1 ] || echo 'ForceCommand /usr/bin/vtysh' >>"$1/sshd_config"
}

# --- commands

up() {
  need
  if is_up; then
    echo "The lab is up already in $RUN."
    tour
    return 0
  fi
  [ ! -e "$RUN" ] || [ -e "$RUN/.nullroute-lab" ] || [ -z "$(ls -A "$RUN")" ] ||
    fail "$RUN holds something else: choose another folder with --run"
  if ip -4 -o address show | grep -v " $BRIDGE " | grep -q ' 10\.20\.'; then
    fail "this machine uses 10.20.0.0/16 itself, which the lab needs for its management bridge"
  fi
  only_ours
  take_away
  make_files
  make_wires
  for name in "${HOSTS[@]}"; do network "$name"; done
  for name in sw1 "${ROUTERS[@]}"; do boot "$name"; done
  wait_for_network
  save_canonical
  touch "$RUN/ready"
  tour
}

# As FRR writes its configuration itself, so that a later save without a change changes nothing. Inside the device's own mount namespace:
# from outside it would be /etc/frr of this machine.
save_canonical() {
  local name pid
  for name in "${ROUTERS[@]}"; do
    pid=$(cat "$RUN/$name/run-frr/watchfrr.pid")
    nsenter -t "$pid" -m -n timeout 20 vtysh -c 'write memory' </dev/null >>"$RUN/$name/boot.log" 2>&1
  done
}

reachable() { # FAMILY ADDRESS
  inside internet ping "-$1" -c1 -W1 -q "$2" </dev/null >/dev/null 2>&1
}

wait_for_network() {
  local pair
  for pair in 4:203.0.113.10 6:2001:db8:e57::10 4:203.0.113.20 6:2001:db8:e57::20 4:192.0.2.129 6:2001:db8:b09::1; do
    for attempt in $(seq 60); do
      reachable "${pair%%:*}" "${pair#*:}" && continue 2
      [ "$attempt" -lt 60 ] || fail "no answer from ${pair#*:} after a minute: see $RUN/*/boot.log"
      sleep 0.5
    done
  done
}

take_away() {
  local name
  # By hand: the kernel takes the veths of a deleted namespace away some time later.
  for name in "${!MANAGED[@]}"; do ip link delete "nrl-$name" 2>/dev/null || true; done
  for name in "${ROUTERS[@]}" "${HOSTS[@]}" sw1 core; do
    [ -e "/run/netns/$(ns "$name")" ] || continue
    kill_inside "$name"
    ip netns delete "$(ns "$name")"
  done
  if ip link show $BRIDGE >/dev/null 2>&1; then ip link delete $BRIDGE; fi
  if [ "$(getent passwd $ACCOUNT | cut -d: -f5)" = "$COMMENT" ]; then userdel $ACCOUNT; fi
  if [ -e "$RUN/etc-made" ]; then rmdir /etc/nullroute 2>/dev/null || true; fi
  if [ -e "$RUN/.nullroute-lab" ]; then rm -rf "$RUN"; fi
}

down() {
  need
  only_ours
  take_away
  echo "The lab is gone."
}

status() {
  need
  is_up || fail "the lab is not up (in $RUN)"
  local name sessions pair
  for name in "${ROUTERS[@]}" sw1; do
    if [ -e "$RUN/$name/off" ]; then
      echo "$name: off"
      continue
    fi
    if [ "$name" = sw1 ]; then
      echo "$name: on"
      continue
    fi
    sessions=$(timeout 10 vtysh --vty_socket "$RUN/$name/run-frr" -c 'show bgp summary' </dev/null 2>/dev/null |
      awk '/^[0-9a-f:.]+ +4 /{ if ($10 ~ /^[0-9]+$/) up++; else down++ } END { printf "%d up, %d down", up, down }' || true)
    echo "$name: on, BGP sessions (by family) $sessions"
  done
  for pair in esthost:203.0.113.10 esthost:2001:db8:e57::10 bystander:203.0.113.20 bystander:2001:db8:e57::20 \
    bgpcust:192.0.2.129 bgpcust:2001:db8:b09::1; do
    case ${pair#*:} in *:*) name=6 ;; *) name=4 ;; esac
    if reachable "$name" "${pair#*:}"; then sessions=answers; else sessions='does not answer'; fi
    echo "${pair%%:*} ${pair#*:}: $sessions the internet host"
  done
}

tour() {
  cat <<TEXT
The lab runs in $RUN.

  inventory       $RUN/inventory
  devices         trigger1 10.20.0.12, edge1 10.20.0.21, edge2 10.20.0.22 (FRRouting); sw1 10.20.0.31 (Linux)
  customers       esthost (203.0.113.10, 2001:db8:e57::10), bystander in the same subnet (.20, ::20), bgpcust (192.0.2.129, AS 64501)

Try:
  ssh -i $RUN/inventory/keys/nullroute -o UserKnownHostsFile=$RUN/inventory/known_hosts nullroute@10.20.0.12
  ip netns exec nrlab-internet ping 203.0.113.10
  npm run nullroute -- serve --inventory $RUN/inventory --data $RUN/data
  $0 stop edge2 --run $RUN
  $0 start edge2 --run $RUN
  $0 status --run $RUN
  $0 down --run $RUN
TEXT
}

COMMAND=${1:-}
[ $# -eq 0 ] || shift
ARGS=()
while [ $# -gt 0 ]; do
  if [ "$1" = --run ] && [ ${#ARGS[@]} -lt 2 ]; then
    [ $# -ge 2 ] || fail '--run needs a folder'
    RUN=$2
    shift 2
  else
    ARGS+=("$1")
    shift
  fi
done
case $COMMAND in
  up | down | status) "$COMMAND" ;;
  stop | start)
    need
    "$COMMAND" "${ARGS[0]:-}"
    ;;
  exec)
    need
    is_up || fail "the lab is not up"
    inside "${ARGS[@]}"
    ;;
  help | --help | -h) usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac
