// The files that `nullroute init` writes: a small network to make one's own, with a comment for each choice. Pure. All addresses are from documentation ranges.

/** A file to write, by its path in the new folder. */
export interface StarterFile {
  readonly path: string
  readonly text: string
}

const network = `# yaml-language-server: $schema=../schema/inventory.json
# The devices that nullroute may touch. Each value here is an example from the documentation ranges: put your own in its place.
# All *.yaml files of this folder are one inventory. \`nullroute inventory check\` says what is wrong, with file, line and column.
version: 1

# What each device has unless its group, or the device itself, says otherwise.
defaults:
  username: nullroute
  # The account's key; or { passwordEnv: NAME } for a password in an environment variable, or { agent: true } for ssh-agent.
  # No secret ever stands in these files.
  auth: { privateKeyFile: ../keys/nullroute }
  # Host keys are checked: a device whose key does not stand there is refused. \`nullroute keys scan\` collects them.
  knownHosts: known_hosts
  asn: 64500

groups:
  edge: { roles: [edge] }
  access: { roles: [access] }

# Hosts that sessions go through, where devices are not reached directly: name one as \`jump\` of a device or group.
# jumps:
#   bastion: { address: 198.51.100.5, username: jump, auth: { agent: true } }

devices:
  # The router that announces what is to be discarded to all edges (remotely triggered blackholing, RFC 5635).
  # \`nullroute device prepare trigger1\` prints what it needs once.
  trigger1:
    platform: frr # \`nullroute platforms\` lists all
    address: 198.51.100.12
    roles: [rtbh-trigger]
    # Your own sessions: never cut, whoever asks.
    neighbors:
      - { address: 198.51.100.11, what: ibgp }

  # An edge: enforced means that it was seen to discard what the trigger announced.
  edge1:
    group: edge
    platform: frr
    address: 198.51.100.11
    neighbors:
      - { address: 192.0.2.1, what: transit }
      - { address: 198.51.100.12, what: ibgp }
    # Addresses inside customers' prefixes that are yours: left out when the prefix is cut.
    gateways: [203.0.113.1]
    # Ports that carry more than one customer: never shut.
    uplinks: [eth0]

  # A switch with customers' ports.
  sw1:
    group: access
    platform: cisco_ios
    address: 198.51.100.21
    enable: { passwordEnv: SW1_ENABLE }
    uplinks: [GigabitEthernet1/0/24]

# Where discarded traffic is sent: the next hops that the edges route to nowhere.
discardNextHops: [192.0.2.254, "100::1"]

# Added to the addresses of the host that nullroute itself runs on.
controller:
  addresses: [198.51.100.2]

# Never touched by any decision, and no override passes it.
protected:
  - { prefix: 198.51.100.0/24, why: management }
  - { prefix: 192.0.2.0/24, why: transit links }

# How much one decision, and one hour, may cut. Beyond that it is refused, unless an admin overrides the guard by name, with a reason.
limits:
  maxPrefix: { ipv4: 24, ipv6: 48 } # nothing shorter is ever cut off
  perDecision: { ipv4Addresses: 4096, ipv6Slash64: 262144, customers: 1, ports: 64, neighbors: 32 }
  perHour: { decisions: 200, ipv4Addresses: 16384, customers: 50, ports: 200, neighbors: 50 }
`

const customers = `# yaml-language-server: $schema=../schema/inventory.json
# Your customers, with everything that is theirs: what stands here is what a decision cuts, and all that it cuts.
version: 1

customers:
  # A host on a port of yours, in a subnet with others.
  esthost:
    name: Esthost
    prefixes: [203.0.113.0/26, "2001:db8:e57::/48"]
    ports:
      - { device: sw1, interface: GigabitEthernet1/0/3 }
    contacts: [{ email: abuse@esthost.example }]

  # A network of its own, with BGP.
  rovernet:
    name: Rovernet
    asn: 64501
    prefixes: [203.0.113.128/26]
    neighbors:
      - { device: edge1, address: 203.0.113.254 } # shut, with a message, when they are cut off
    contacts: [{ email: abuse@rovernet.example }]
`

const knownHosts = `# Host keys of devices and jump hosts, in OpenSSH's format. \`nullroute keys scan --inventory … --out …\` adds new ones and never
# replaces one: compare each fingerprint with what the device says on its console.
`

const config = `# What \`nullroute serve --config\` reads. Paths are relative to this file; each flag of serve wins over it. What is left out has the value shown.
inventory: inventory
playbooks: playbooks
data: data # enforcements, tokens and the audit log: back it up, keep it on a disk of its own
listen: 127.0.0.1:8080 # for other hosts put a proxy with TLS before it

# The audit log's name, once and for ever: a domain of yours and a path. Set it before the first start.
# audit: { origin: audit.example.net/nullroute }

# agents: { devicesAtOnce: 256, checkIntervalMs: 300000, observerDeadlineMs: 30000, ownDeadlineMs: 5000 }
# api: { bodyLimitBytes: 262144, requestsPerMinute: 6000, changesAtOnce: 1000, connections: 10000, eventStreams: 1000 }
# store: { busyTimeoutMs: 5000 } # how long a commit waits for a command that writes to the same data folder; everything else waits with it
# log: { level: info }
# drainMs: 10000 # how long a stop waits for what is under way
`

const keys = `The private keys that nullroute logs in with. This folder is not for git (see ../.gitignore).

  ssh-keygen -t ed25519 -N '' -C nullroute -f nullroute

makes the one that inventory/network.yaml names; nullroute.pub is what the devices are given. A key with a passphrase works
too: name the environment variable that holds it, auth: { privateKeyFile: ../keys/nullroute, passphraseEnv: NAME }.
`

const ignore = `# Private keys, and what the controller keeps: never in git.
/keys/*
!/keys/README.txt
/data/
*.new
`

/** All files but the playbooks and schemas, which are the product's own. */
export const starterFiles: readonly StarterFile[] = [
  { path: 'inventory/network.yaml', text: network },
  { path: 'inventory/customers.yaml', text: customers },
  { path: 'inventory/known_hosts', text: knownHosts },
  { path: 'nullroute.yaml', text: config },
  { path: 'keys/README.txt', text: keys },
  { path: '.gitignore', text: ignore },
]
