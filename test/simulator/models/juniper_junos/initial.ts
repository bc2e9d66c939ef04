// The configuration that a Junos device starts with, as `set` lines.

import type { CompleteDevice } from '../../spec.ts'
import { schemaOf } from './schema.ts'
import { emptyRoot, readPaths, type Statement, setPath, wordsOf } from './tree.ts'

/** The configuration of this device. Throws where a line of it is not understood. */
export function initialConfig(spec: CompleteDevice, version: string): Statement {
  const root = emptyRoot(schemaOf(version))
  for (const line of initialLines(spec, version)) {
    const paths = readPaths(root, wordsOf(line), false)
    if (paths.kind === 'error') throw new Error(`${spec.name} does not understand "set ${line}"`)
    for (const path of paths.paths) setPath(root, path)
  }
  return root
}

function initialLines(spec: CompleteDevice, version: string): string[] {
  const { prepared, discard } = spec
  return [
    `version ${version}`,
    `system host-name ${spec.name.replaceAll('.', '-')}`,
    'system root-authentication encrypted-password "$6$simulated"',
    'system services ssh',
    `interfaces lo0 unit 0 family inet address ${spec.routerId}/32`,
    ...spec.ports.flatMap((port, at) => interfaceLines(spec, port, at)),
    `routing-options router-id ${spec.routerId}`,
    `routing-options autonomous-system ${spec.asn}`,
    ...(spec.edge && prepared
      ? [
          `routing-options static route ${discard[4]}/32 discard`,
          `routing-options rib inet6.0 static route ${discard[6]}/128 discard`,
        ]
      : []),
    ...filterLines(prepared),
    ...instanceLines(spec),
    ...bgpLines(spec, 'default'),
    ...(spec.trigger && prepared ? triggerLines(discard[4], discard[6]) : []),
  ]
}

function interfaceLines(
  { access, prepared }: CompleteDevice,
  { name, description, shut, addresses, trunk }: CompleteDevice['ports'][number],
  at: number,
): string[] {
  const head = `interfaces ${name}`
  // On what leads to customers, and nowhere else.
  const filtered = prepared && !trunk
  const unnumbered = addresses.length === 0 && !access && filtered
  const families = (['inet', 'inet6'] as const).flatMap((family) => {
    const own = addresses.filter((address) => address.includes(':') === (family === 'inet6'))
    const filter = family === 'inet' ? 'CUST' : 'CUST6'
    return own.length === 0 && !unnumbered
      ? []
      : [
          ...own.map((address) => `unit 0 family ${family} address ${address}`),
          ...(filtered
            ? [
                `unit 0 family ${family} filter input ${filter}-IN`,
                `unit 0 family ${family} filter output ${filter}-OUT`,
              ]
            : []),
        ]
  })
  const switched = `unit 0 family ethernet-switching vlan members v${100 + at}`
  return [
    ...(description === '' ? [] : [`description "${description}"`]),
    ...(shut ? ['disable'] : []),
    ...(families.length === 0 ? [switched] : families),
  ].map((line) => `${head} ${line}`)
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

function instanceLines(spec: CompleteDevice): string[] {
  return spec.vrfs.flatMap((vrf, at) =>
    [
      'instance-type vrf',
      `route-distinguisher ${spec.asn}:${at + 1}`,
      `vrf-target target:${spec.asn}:${at + 1}`,
      ...spec.ports.filter((port) => port.vrf === vrf).map((port) => `interface ${port.name}.0`),
      ...bgpLines(spec, vrf),
    ].map((line) => `routing-instances ${vrf} ${line}`),
  )
}

function bgpLines({ asn, neighbors }: CompleteDevice, vrf: string): string[] {
  const groups = new Set<string>()
  return neighbors
    .filter((one) => one.vrf === vrf)
    .flatMap((one) => {
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
        ...(one.shut ? [`${neighbor} shutdown`] : []),
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
