// What a simulated device is made from: plain data. `from-inventory.ts` makes it of an inventory.

/** The network operating systems that there are models of. */
export type SimulatedPlatform = 'frr' | 'linux' | 'cisco_ios' | 'juniper_junos'

/** A port of a simulated device. */
export interface SimulatedPort {
  readonly name: string
  readonly description: string
  /** Addresses with length. A port with some is routed, one without is switched. */
  readonly addresses: readonly string[]
  /** `default` or absent: the global table. */
  readonly vrf?: string
  /** Down by its owner's hand from the beginning. */
  readonly shut?: boolean
  /** frr: the bridge that it is a member of; which is a port itself, with the addresses that it has. */
  readonly bridge?: string
  /** frr: prefixes that are routed out of it by hand, past FRR. */
  readonly kernelRoutes?: readonly string[]
  /** Carries others' traffic: an uplink or a trunk. */
  readonly trunk?: boolean
  /** Switched off by the device itself for misbehaviour (cisco_ios). */
  readonly errDisabled?: boolean
}

/** A BGP neighbor of a simulated device. */
export interface SimulatedNeighbor {
  readonly address: string
  readonly asn: string
  readonly description: string
  /** `default` or absent: the global table. */
  readonly vrf?: string
  /** BGP group, where the platform has groups. */
  readonly group?: string
  /** Shut by its owner's hand from the beginning. */
  readonly shut?: boolean
}

/** One device to simulate. */
export interface SimulatedDevice {
  readonly name: string
  readonly platform: SimulatedPlatform
  /** Address that the SSH server binds to: a loopback address. 127.0.0.1 when absent. */
  readonly host?: string
  /** 0 = any free port. */
  readonly port?: number
  readonly username?: string
  readonly password?: string
  /** Secret for privileged mode: the session begins unprivileged (cisco_ios). */
  readonly enablePassword?: string
  /** Public keys that may log in, in OpenSSH's one-line form. Empty or absent: any key of this user. */
  readonly publicKeys?: readonly string[]
  /** `edge` learns what a `rtbh-trigger` blackholes; `access` is a switch. */
  readonly roles?: readonly string[]
  readonly asn?: string
  /** Router id and loopback address. */
  readonly routerId?: string
  readonly ports?: readonly SimulatedPort[]
  readonly neighbors?: readonly SimulatedNeighbor[]
  readonly vrfs?: readonly string[]
  /** Next hops that the edges discard, IPv4 and IPv6. */
  readonly discardNextHops?: readonly string[]
  /** Lines of the operator's own, typed before the first save, in the platform's configuration language (linux: shell lines, as root). */
  readonly extra?: readonly string[]
  /** False: the objects that nullroute needs beforehand (tables, lists, RTBH policy) are missing. */
  readonly prepared?: boolean
  /** Version of the software, where the model knows several: frr `8.4.4` or `10.3`. */
  readonly version?: string
  /** juniper_junos: the line before prompts on systems with more than one routing engine, such as `master:0`. */
  readonly routingEngine?: string
  /** juniper_junos: how many commits it remembers: 0 or 1 where it is new, 2 when absent. */
  readonly history?: 0 | 1 | 2
  /** linux: the account is root, or may do what the sudo fragment says, or nothing. `root` when absent. */
  readonly privilege?: 'root' | 'sudo' | 'none'
}

/** A device with everything said: what models are made of. */
export interface CompleteDevice {
  readonly name: string
  readonly platform: SimulatedPlatform
  readonly username: string
  readonly password: string
  readonly enablePassword: string | undefined
  readonly publicKeys: readonly string[]
  readonly roles: readonly string[]
  readonly edge: boolean
  readonly trigger: boolean
  readonly access: boolean
  readonly asn: string
  readonly routerId: string
  readonly ports: readonly (Required<Omit<SimulatedPort, 'bridge'>> & {
    readonly bridge: string | undefined
  })[]
  readonly neighbors: readonly (SimulatedNeighbor & {
    readonly vrf: string
    readonly shut: boolean
  })[]
  readonly vrfs: readonly string[]
  /** It has a reason to speak BGP. */
  readonly bgp: boolean
  /** The next hop of each family that edges discard. */
  readonly discard: { readonly 4: string; readonly 6: string }
  readonly extra: readonly string[]
  readonly prepared: boolean
  readonly version: string | undefined
  readonly routingEngine: string | undefined
  readonly history: 0 | 1 | 2
  readonly privilege: 'root' | 'sudo' | 'none'
}

/** Password of simulated devices where none is given. */
export const defaultPassword = 'nullroute-demo'

const defaults = {
  username: 'netops',
  password: defaultPassword,
  publicKeys: [],
  roles: [],
  asn: '64500',
  routerId: '192.0.2.1',
  vrfs: [],
  extra: [],
  prepared: true,
  history: 2,
  privilege: 'root',
} as const

/** The device with what it does not say filled in. */
export function complete(spec: SimulatedDevice): CompleteDevice {
  const { ports = [], neighbors = [], discardNextHops = [], roles = [] } = spec
  const trigger = roles.includes('rtbh-trigger')
  return {
    ...defaults,
    enablePassword: undefined,
    version: undefined,
    routingEngine: undefined,
    ...spec,
    edge: roles.includes('edge'),
    trigger,
    access: roles.includes('access'),
    bgp: trigger || spec.asn !== undefined || neighbors.length > 0,
    ports: ports.map((port) => ({
      vrf: 'default',
      shut: false,
      bridge: undefined,
      kernelRoutes: [],
      trunk: false,
      errDisabled: false,
      ...port,
    })),
    neighbors: neighbors.map((one) => ({ vrf: 'default', shut: false, ...one })),
    discard: {
      4: discardNextHops.find((hop) => !hop.includes(':')) ?? '192.0.2.254',
      6: discardNextHops.find((hop) => hop.includes(':')) ?? '100::1',
    },
  }
}
