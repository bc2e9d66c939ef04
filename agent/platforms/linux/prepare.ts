// Lines to paste on a Linux host before the first use, for `device prepare`. Also what the lab loads, so that they are tried.

import { setNames, tableFamilies } from './table.ts'

/** `/etc/nullroute/table.nft`: run again it renews the rules and keeps the elements. */
export const tableFile = tableFamilies
  .flatMap((family) => {
    const at = `${family} nullroute`
    const sets = setNames.map(
      (name) =>
        `add set ${at} ${name} { type ipv${name.slice(-1)}_addr; flags interval; counter; }`,
    )
    const protectedSets = ['4', '6'].map(
      (number) => `add set ${at} protect${number} { type ipv${number}_addr; flags interval; }`,
    )
    const rule = (match: string): string => `add rule ${at} pre ${match}`
    return [
      `add table ${at}`,
      ...sets,
      ...protectedSets,
      `add chain ${at} pre { type filter hook prerouting priority -310; policy accept; }`,
      `flush chain ${at} pre`,
      ...[
        'ip saddr @protect4',
        'ip daddr @protect4',
        'ip6 saddr @protect6',
        'ip6 daddr @protect6',
      ].map((match) => rule(`${match} accept`)),
      ...['ip daddr @dst4', 'ip saddr @src4', 'ip6 daddr @dst6', 'ip6 saddr @src6'].map((match) =>
        rule(`${match} drop`),
      ),
    ]
  })
  .join('\n')

/** `/usr/local/sbin/nullroute-restore`: trusts no line of the files that the account can write. */
export function restoreScript(ports: readonly string[]): string {
  return `#!/bin/sh
# root's; PATH fixed, no globbing, no eval
PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C; export PATH LC_ALL; set -f
ROUTE='^(-6 )?route (prepend|add) blackhole [0-9a-f.:/]+ proto 223( metric [0-9]+)?( table [0-9]+)?$'
PORT='^link set dev (${anyOf(ports)}) down$'
NFT='^add element (inet|bridge) nullroute (dst|src)(4|6) [{] [0-9a-f.:/]+( comment "[A-Za-z0-9 -]+")? [}]$'
each() { # file, expression, command
  [ -f "$1" ] && [ ! -L "$1" ] || return 0
  while IFS= read -r l; do
    printf '%s\\n' "$l" | grep -Eqx -e "$2" || { echo "skipped a line of $1" >&2; continue; }
    case $3 in nft) nft "$l" ;; ip) ip $l ;; esac </dev/null || true
  done <"$1"
}
each /etc/nullroute/state.d/routes "$ROUTE" ip
each /etc/nullroute/state.d/ports "$PORT" ip
nft -f /etc/nullroute/table.nft || exit 1
each /etc/nullroute/state.d/elements "$NFT" nft`
}

/** The rights of an account that is not root. sudo 1.9.10 or later. */
export function sudoers(ports: readonly string[]): string {
  return `Defaults:nullroute !requiretty, !lecture
Cmnd_Alias NR_ROUTE = /usr/sbin/ip ^(-6 )?route (prepend|add|del) blackhole [0-9a-f.:/]+ proto 223( metric [0-9]+)?( table [0-9]+)?$
Cmnd_Alias NR_PORT  = /usr/sbin/ip ^link set dev (${anyOf(ports)}) (up|down)$
Cmnd_Alias NR_NFT   = /usr/sbin/nft ^(add|delete) element (inet|bridge) nullroute (dst|src)(4|6) [{] [0-9a-f.:/]+( comment "[A-Za-z0-9 -]+")? [}]$, /usr/sbin/nft ^-[jt] list table (inet|bridge) nullroute$
nullroute ALL=(root) NOPASSWD: NR_ROUTE, NR_PORT, NR_NFT`
}

/** What stands for ports where none is known. */
const examplePorts = ['p1', 'p2']

/** Names as alternatives of an extended regular expression. A set of one, not a backslash: sudoers and shell have their own ideas of those. */
function anyOf(ports: readonly string[]): string {
  const names = ports.length === 0 ? examplePorts : ports
  return names.map((name) => name.replaceAll(/[^\w-]/g, '[$&]')).join('|')
}

function portsRemark(ports: readonly string[]): string {
  return ports.length === 0
    ? `Name the customers' ports in place of ${examplePorts.join('|')}, in the script and in the sudo fragment, and no other`
    : `Its ports are those that customers of the inventory have here (${ports.join(', ')}): when more come, renew the script and the sudo fragment`
}

/** The whole text. `ports`: of customers, which may be shut; an example where none is known. */
export function prepare(ports: readonly string[]): string {
  return `# on the host, as root (Debian). ${portsRemark(ports)}
apt-get install iproute2 nftables sudo
adduser --disabled-password --gecos nullroute nullroute
usermod -p '*' nullroute
install -d -m 0755 /etc/nullroute
install -d -o nullroute -g nullroute -m 0750 /etc/nullroute/state.d

# /etc/nullroute/table.nft, mode 0644: leave the lines of \`bridge\` out where the host bridges nothing
cat >/etc/nullroute/table.nft <<'END'
${tableFile}
END
nft -f /etc/nullroute/table.nft

# /usr/local/sbin/nullroute-restore, mode 0755
cat >/usr/local/sbin/nullroute-restore <<'END'
${restoreScript(ports)}
END
chmod 0755 /usr/local/sbin/nullroute-restore

cat >/etc/systemd/system/nullroute-restore.service <<'END'
[Unit]
Description=Restore what nullroute holds
After=network.target nftables.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/nullroute-restore
TimeoutStartSec=300
[Install]
WantedBy=multi-user.target
END
systemctl enable --now nullroute-restore.service

# for an account that is not root; with it overlapping filters are swapped in two steps instead of one
cat >/etc/sudoers.d/nullroute <<'END'
${sudoers(ports)}
END
chmod 0440 /etc/sudoers.d/nullroute
visudo -c
`
}
