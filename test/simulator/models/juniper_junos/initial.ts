// The configuration that a Junos device starts with, as `set` lines.

import type { SimulatedDevice } from '../../spec.ts'
import { schemaOf } from './schema.ts'
import { emptyRoot, readPaths, type Statement, setPath, wordsOf } from './tree.ts'

/** The configuration of this device. Throws where a line of it is not understood. */
export function initialConfig(spec: SimulatedDevice, version: string): Statement {
  const root = emptyRoot(schemaOf(version))
  for (const line of [...initialLines(spec, version)]) {
    const paths = readPaths(root, wordsOf(line), false)
    if (paths.kind === 'error') throw new Error(`${spec.name} does not understand "set ${line}"`)
    for (const path of paths.paths) setPath(root, path)
  }
  return root
}

function initialLines(spec: SimulatedDevice, version: string): string[] {
  const prepared = spec.prepared !== false
  const roles = spec.roles ?? []
  const [hop4, hop6] = discardHops(spec)
  return [
    `version ${version}`,
    `system host-name ${spec.name.replaceAll('.', '-')}`,
    'system root-authentication encrypted-password "$6$simulated"',
    'system services ssh',
    ...interfaceLines(spec, prepared),
    `routing-options router-id ${spec.routerId ?? '192.0.2.1'}`,
    `routing-options autonomous-system ${spec.asn ?? '64500'}`,
    ...(roles.includes('edge') && prepared
      ? [
          `routing-options static route ${hop4}/32 discard`,
          `routing-options rib inet6.0 static route ${hop6}/128 discard`,
        ]
      : []),
    ...filterLines(prepared),
    ...instanceLines(spec),
    ...bgpLines(spec, 'default'),
    ...(roles.includes('rtbh-trigger') && prepared ? triggerLines(hop4, hop6) : []),
  ]
}

function discardHops(spec: SimulatedDevice): readonly [string, string] {
  const hops = spec.discardNextHops ?? []
  return [
    hops.find((hop) => !hop.includes(':')) ?? '192.0.2.254',
    hops.find((hop) => hop.includes(':')) ?? '100::1',
  ]
}

function interfaceLines(spec: SimulatedDevice, prepared: boolean): string[] {
  const ports = spec.ports ?? []
  return [
    `interfaces lo0 unit 0 family inet address ${spec.routerId ?? '192.0.2.1'}/32`,
    ...ports.flatMap((port, at) => {
      const head = `interfaces ${port.name}`
      const families = port.addresses.map(
        (address) =>
          `${head} unit 0 family ${address.includes(':') ? 'inet6' : 'inet'} address ${address}`,
      )
      return [
        ...(port.description === '' ? [] : [`${head} description "${port.description}"`]),
        ...(port.shut === true ? [`${head} disable`] : []),
        ...families,
        ...(families.length === 0
          ? [`${head} unit 0 family ethernet-switching vlan members v${100 + at}`]
          : []),
        ...(prepared && port.addresses.some((address) => !address.includes(':'))
          ? [
              `${head} unit 0 family inet filter input CUST-IN`,
              `${head} unit 0 family inet filter output CUST-OUT`,
            ]
          : []),
        ...(prepared && port.addresses.some((address) => address.includes(':'))
          ? [
              `${head} unit 0 family inet6 filter input CUST6-IN`,
              `${head} unit 0 family inet6 filter output CUST6-OUT`,
            ]
          : []),
      ]
    }),
  ]
}

function filterLines(prepared: boolean): string[] {
  if (!prepared) return []
  return [
    'policy-options prefix-list nullroute-v4 192.0.2.255/32',
    'policy-options prefix-list nullroute-v6 100::dead/128',
    ...(['inet CUST-IN', 'inet CUST-OUT', 'inet6 CUST6-IN', 'inet6 CUST6-OUT'] as const).flatMap(
      (one) => {
        const [family, name] = one.split(' ')
        const filter = `firewall family ${family} filter ${name}`
        return [
          `${filter} term nullroute from prefix-list nullroute-v${family === 'inet' ? 4 : 6}`,
          `${filter} term nullroute then count nullroute`,
          `${filter} term nullroute then discard`,
          `${filter} term rest then accept`,
        ]
      },
    ),
  ]
}

function instanceLines(spec: SimulatedDevice): string[] {
  return (spec.vrfs ?? []).flatMap((vrf, at) => {
    const ports = (spec.ports ?? []).filter((port) => port.vrf === vrf)
    return [
      `routing-instances ${vrf} instance-type vrf`,
      `routing-instances ${vrf} route-distinguisher ${spec.asn ?? '64500'}:${at + 1}`,
      `routing-instances ${vrf} vrf-target target:${spec.asn ?? '64500'}:${at + 1}`,
      ...ports.map((port) => `routing-instances ${vrf} interface ${port.name}.0`),
      ...bgpLines(spec, vrf).map((line) => `routing-instances ${vrf} ${line}`),
    ]
  })
}

function bgpLines(spec: SimulatedDevice, vrf: string): string[] {
  const asn = spec.asn ?? '64500'
  const own = (spec.neighbors ?? []).filter((one) => (one.vrf ?? 'default') === vrf)
  const groups = new Set<string>()
  return own.flatMap((one) => {
    const internal = one.asn === asn
    const group = one.group ?? (internal ? 'INTERNAL' : 'CUSTOMERS')
    const head = `protocols bgp group ${group}`
    const first = groups.has(group) ? [] : [`${head} type ${internal ? 'internal' : 'external'}`]
    groups.add(group)
    const neighbor = `${head} neighbor ${one.address}`
    return [
      ...first,
      `${neighbor} description "${one.description}"`,
      ...(internal ? [] : [`${neighbor} peer-as ${one.asn}`]),
      ...(one.shut === true ? [`${neighbor} shutdown`] : []),
    ]
  })
}

function triggerLines(hop4: string, hop6: string): string[] {
  const term = (name: string, hop: string): string[] => {
    const head = `policy-options policy-statement RTBH term ${name}`
    return [
      `${head} from protocol static`,
      `${head} from tag 666`,
      `${head} then community add BLACKHOLE`,
      `${head} then local-preference 200`,
      `${head} then next-hop ${hop}`,
      `${head} then accept`,
    ]
  }
  return [
    ...term('nullroute', hop4),
    ...term('nullroute6', hop6),
    'policy-options community BLACKHOLE members 65535:666',
    'protocols bgp group INTERNAL type internal',
    'protocols bgp group INTERNAL export RTBH',
  ]
}
