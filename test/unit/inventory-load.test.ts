// Reading an inventory: what is right is taken whole, and everything that is wrong is told at once, with its place and what to do.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { inventorySchemaJson, loadInventory, parseInventory } from '../../inventory/load.ts'
import type { Problem } from '../../inventory/problem.ts'
import { printProblem } from '../../inventory/problem.ts'
import { exampleFolder, inventoryOf, platformNames, source } from './inventory-texts.ts'

/** A right inventory, line by line; a case replaces or adds lines. */
const head = `version: 1
defaults: { username: netops, auth: { agent: true }, knownHosts: known_hosts }
`
const device = (id: string, rest: string) => `  ${id}: { platform: frr, ${rest} }\n`
const onSwitch = (rest: string) =>
  `${head}devices:\n${device('sw1', `address: 10.0.0.2${rest}`)}`.replace(
    /platform: \w+/,
    'platform: cisco_ios',
  )
const devices = `${head}devices:\n${device('edge1', 'address: 10.0.0.1, uplinks: [eth0]')}`
const customers = `${devices}customers:\n`

function problemsIn(...texts: readonly string[]): readonly Problem[] {
  const result = parseInventory(
    texts.map((text, index) => source(text, `isp/${index}.yaml`)),
    platformNames,
  )
  return result.ok ? [] : result.problems
}

function brief({ line, column, path, message }: Problem): string {
  return `${line}:${column} ${path}: ${message}`
}

describe('the example ISP', () => {
  it('loads without a problem, and says where carving will happen', async () => {
    const result = await loadInventory(exampleFolder, platformNames)

    expect(result.ok ? [] : result.problems.map(printProblem)).toEqual([])
    const carvings = result.ok ? result.warnings.map(({ message }) => message) : []
    expect(carvings).toEqual([
      'when 203.0.113.0/26 is cut off, 203.0.113.1 (gateway of edge1.ams) is left out of it',
    ])
  })
})

describe('a routing daemon and the host below it', () => {
  const both = `${devices.replace('platform: frr', 'platform: frr, port: 22')}  host1: { platform: linux, address: 10.0.0.1, username: root }\n`

  it('may have one address and port: they are two log-ins, with objects of their own', () => {
    expect(problemsIn(both)).toEqual([])
  })

  it.each([
    [
      'a third of them',
      `  host2: { platform: linux, address: 10.0.0.1 }\n`,
      'host2 has the address and port of host1',
    ],
    [
      'another daemon',
      device('edge2', 'address: 10.0.0.1'),
      'edge2 has the address and port of edge1',
    ],
    [
      'another system',
      `  sw1: { platform: cisco_ios, address: 10.0.0.1 }\n`,
      'sw1 has the address and port of edge1',
    ],
  ])('and nothing beside them: not %s', (_, more, message) => {
    expect(problemsIn(`${both}${more}`).map((one) => one.message)).toEqual([message])
  })

  it('have the same ports: one is given once, and an uplink of the one is no customer’s on the other', () => {
    const ports = (...all: readonly string[]) =>
      problemsIn(
        `${both}customers:\n  a: { name: A, ports: [${all.map((one) => `{ device: ${one} }`).join(', ')}] }\n`,
      ).map(({ message }) => message)
    expect(ports('host1, interface: eth1')).toEqual([])
    expect(ports('edge1, interface: eth1', 'host1, interface: eth1')).toEqual([
      'port eth1 of host1 stands here twice (also as port eth1 of edge1, on the same host)',
    ])
    expect(ports('host1, interface: eth0')).toEqual([
      'port eth0 of host1 is an uplink: taking it down would cut others off',
    ])
  })
})

describe('a device', () => {
  it('takes from its group what it does not say, and from the defaults what neither says', () => {
    const { devices: all } = inventoryOf(`${head}groups:
  edge: { platform: cisco_ios, roles: [edge], port: 2222, jump: hop }
jumps:
  hop: { address: 10.0.0.9 }
devices:
  one: { group: edge, address: 10.0.0.1, port: 23 }
  two: { group: edge, address: 10.0.0.2, jump: false, roles: [edge, core], asn: "1.10" }
`)

    expect(all.get('one')).toMatchObject({ platform: 'cisco_ios', port: 23, jump: 'hop' })
    expect(all.get('one')).toMatchObject({ roles: ['edge'], username: 'netops' })
    expect(all.get('one')).toMatchObject({ deadlineMs: 30_000, sessionIdleMs: 300_000 })
    expect(all.get('two')).toMatchObject({ port: 2222, roles: ['edge', 'core'], asn: '65546' })
    expect(all.get('two')?.jump).toBeUndefined()
  })

  it('has its files relative to the file that names them', () => {
    const result = parseInventory(
      [
        source(head, 'isp/all/defaults.yaml'),
        source(
          'version: 1\ndevices:\n  a: { platform: frr, address: 10.0.0.1, auth: { privateKeyFile: keys/a } }\n  b: { platform: frr, address: 10.0.0.2, knownHosts: ~/hosts }\n',
          'isp/ams/devices.yaml',
        ),
      ],
      platformNames,
    )
    const all = result.ok ? result.value.devices : new Map()

    expect(all.get('a')).toMatchObject({
      knownHosts: resolve('isp/all/known_hosts'),
      auth: { kind: 'key', privateKeyFile: resolve('isp/ams/keys/a') },
    })
    expect(all.get('b')).toMatchObject({ knownHosts: join(homedir(), 'hosts') })
  })
})

describe('a problem', () => {
  const cases: readonly (readonly [what: string, text: string, expected: readonly string[]])[] = [
    ['version', 'version: 2\n', ['1:10 version: 2 is not 1']],
    ['no version', 'discardNextHops: []\n', ['1:1 version: "version" is missing']],
    ['empty file', '', ['1:1 : the file is empty']],
    [
      'unknown field',
      `${head}devices:\n${device('a', 'adress: 10.0.0.1')}`,
      [
        '4:23 devices.a.adress: there is no field "adress" here',
        '4:3 devices.a.address: "address" is missing',
      ],
    ],
    [
      'unknown platform',
      `${head}devices:\n  a: { platform: cisco_xr, address: 10.0.0.1 }\n`,
      ['4:18 devices.a.platform: there is no platform "cisco_xr"'],
    ],
    [
      'unknown group and jump',
      `${head}devices:\n${device('a', 'address: 10.0.0.1, group: g, jump: j')}`,
      [
        '4:49 devices.a.group: there is no group "g"',
        '4:58 devices.a.jump: there is no jump host "j"',
      ],
    ],
    [
      'no login',
      'version: 1\ndevices:\n  a: { platform: frr, address: 10.0.0.1, username: x }\n',
      ['3:3 devices.a: a has no auth', '3:3 devices.a: a has no knownHosts'],
    ],
    [
      'two ways to log in',
      `${head}devices:\n${device('a', 'address: 10.0.0.1, auth: { agent: true, passwordEnv: P }')}`,
      ['4:48 devices.a.auth: more than one way to log in'],
    ],
    [
      'bad id',
      `${head}devices:\n${device('Edge_1!', 'address: 10.0.0.1')}`,
      ['4:3 devices.Edge_1!: "Edge_1!" is no id'],
    ],
    [
      'same address and port',
      `${devices}${device('b', 'address: 10.0.0.1')}`,
      ['5:32 devices.b.address: b has the address and port of edge1'],
    ],
    [
      'text where a number is meant',
      `${head}devices:\n${device('a', 'address: 10.0.0.1, port: "22"')}`,
      ['4:48 devices.a.port: "22" is not a number'],
    ],
    [
      'octal-looking number',
      `${head}devices:\n${device('a', 'address: 10.0.0.1, port: 022')}`,
      ['4:48 devices.a.port: 022 reads as the number 22'],
    ],
    [
      'AS number that YAML shortens',
      `${head}devices:\n${device('a', 'address: 10.0.0.1, asn: 1.10')}`,
      ['4:47 devices.a.asn: 1.10 reads as the number 1.1'],
    ],
    [
      'name that YAML shortens',
      `${head}groups:\n  010: {}\n`,
      ['4:3 groups.10: the name 010 reads as the number 10'],
    ],
    [
      'address with a colon at its end, in a list',
      `${customers}  a: { name: A, prefixes: [2001:db8::] }\n`,
      [
        '6:28 customers.a.prefixes[0]: "2001:db8::" reads as a map, not as an address, because a colon ends it',
      ],
    ],
    [
      'the same as a value',
      `${head}jumps:\n  a: { address: 2001:db8:: }\n`,
      ['4:17 : Block collections are not allowed within flow collections'],
    ],
    [
      'duplicate key',
      `${devices}${device('edge1', 'address: 10.0.0.2')}`,
      ['5:3 devices.edge1: "edge1" stands here twice: first on line 4'],
    ],
    [
      'host bits',
      `${customers}  a: { name: A, prefixes: [203.0.113.9/26] }\n`,
      [
        '6:28 customers.a.prefixes[0]: "203.0.113.9/26" has host bits set: the prefix of that length is 203.0.113.0/26, the single address is 203.0.113.9',
      ],
    ],
    [
      'prefix given twice',
      `${customers}  a: { name: A, prefixes: [203.0.113.0/26, 203.0.113.0/26] }\n`,
      ['6:44 customers.a.prefixes[1]: 203.0.113.0/26 is given twice'],
    ],
    [
      'customers that overlap, whatever the routing table',
      `${customers}  a: { name: A, prefixes: [203.0.113.0/24] }\n  b: { name: B, prefixes: [{ prefix: 203.0.113.64/26, vrf: red }] }\n`,
      [
        '7:28 customers.b.prefixes[0]: 203.0.113.64/26 of b overlaps 203.0.113.0/24 of a (isp/0.yaml:6)',
      ],
    ],
    [
      'customer inside protected space',
      `${customers}  a: { name: A, prefixes: [10.9.1.0/24] }\nprotected: [{ prefix: 10.9.0.0/16, why: management }]\n`,
      [
        '6:28 customers.a.prefixes[0]: 10.9.1.0/24 of a lies inside protected space 10.9.0.0/16 (management)',
      ],
    ],
    [
      'unknown device',
      `${customers}  a: { name: A, ports: [{ device: sw9, interface: p1 }], neighbors: [{ device: r9, address: 192.0.2.9 }] }\n`,
      [
        '6:35 customers.a.ports[0].device: there is no device "sw9"',
        '6:80 customers.a.neighbors[0].device: there is no device "r9"',
      ],
    ],
    [
      'unknown interface',
      `${devices}${device('sw1', 'address: 10.0.0.2, interfaces: [p1, p2]')}customers:\n  a: { name: A, ports: [{ device: sw1, interface: p3 }] }\n`,
      ['7:51 customers.a.ports[0].interface: there is no interface "p3" of sw1'],
    ],
    [
      'port that is an uplink',
      `${customers}  a: { name: A, ports: [{ device: edge1, interface: eth0 }] }\n`,
      [
        '6:53 customers.a.ports[0].interface: port eth0 of edge1 is an uplink: taking it down would cut others off',
      ],
    ],
    [
      'port that is an uplink in another spelling',
      `${onSwitch(', uplinks: [GigabitEthernet1/0/3]')}customers:\n  a: { name: A, ports: [{ device: sw1, interface: Gi1/0/3 }] }\n`,
      [
        '6:51 customers.a.ports[0].interface: port Gi1/0/3 of sw1 is the uplink GigabitEthernet1/0/3, or carries it: taking it down would cut others off',
      ],
    ],
    [
      'port of two customers, in two spellings',
      `${onSwitch('')}customers:\n  a: { name: A, ports: [{ device: sw1, interface: Gi1/0/3 }] }\n  b: { name: B, ports: [{ device: sw1, interface: gigabitethernet1/0/3 }] }\n`,
      [
        '7:51 customers.b.ports[0].interface: port gigabitethernet1/0/3 of sw1 is given to two customers: a and b (also written Gi1/0/3)',
      ],
    ],
    [
      "port that carries another customer's",
      `${onSwitch('')}customers:\n  a: { name: A, ports: [{ device: sw1, interface: Gi1/0/3 }] }\n  b: { name: B, ports: [{ device: sw1, interface: Gi1/0/3.7 }] }\n`,
      [
        '7:51 customers.b.ports[0].interface: port Gi1/0/3.7 of sw1 goes down with Gi1/0/3, which is given to a',
      ],
    ],
    [
      'port whose name is cut too short',
      onSwitch(', uplinks: [t1/0/1]'),
      ['4:60 devices.sw1.uplinks[0]: port t1/0/1 may be any of several: the name is cut too short'],
    ],
    [
      'port of two customers',
      `${customers}  a: { name: A, ports: [{ device: edge1, interface: p1 }] }\n  b: { name: B, ports: [{ device: edge1, interface: p1 }] }\n`,
      ['7:53 customers.b.ports[0].interface: port p1 of edge1 is given to two customers: a and b'],
    ],
    [
      'neighbor of two customers',
      `${customers}  a: { name: A, neighbors: [{ device: edge1, address: 192.0.2.9 }] }\n  b: { name: B, neighbors: [{ device: edge1, address: 192.0.2.9 }] }\n`,
      [
        '7:55 customers.b.neighbors[0].address: neighbor 192.0.2.9 of edge1 is given to two customers: a and b',
      ],
    ],
    [
      "neighbor that is the operator's own",
      `${head}devices:\n${device('edge1', 'address: 10.0.0.1, neighbors: [{ address: 192.0.2.1, what: transit }]')}customers:\n  a: { name: A, neighbors: [{ device: edge1, address: 192.0.2.1 }] }\n`,
      [
        "6:55 customers.a.neighbors[0].address: neighbor 192.0.2.1 of edge1 is the operator's own (transit)",
      ],
    ],
    [
      'port name that a shell would read otherwise',
      `${customers}  a: { name: A, ports: [{ device: edge1, interface: "p1;reboot" }] }\n`,
      ['6:53 customers.a.ports[0].interface: "p1;reboot" is no name of a port'],
    ],
  ]

  it.each(cases)('of %s is told with its place', (_, text, expected) => {
    const found = problemsIn(text)

    expect(found.map(brief).sort()).toEqual([...expected].sort())
    expect(found.filter(({ remedy }) => remedy === '')).toEqual([])
  })

  it('never hides another: all come at once, in order, from every file', () => {
    const found = problemsIn(
      `${head}devices:\n${device('a', 'address: 10.0.0.1/32')}${device('b', 'address: 10.0.0.2, jump: j')}`,
      'version: 3\ncustomers:\n  c: { prefixes: [1.2.3.4/24, 203.0.113.0/26] }\n  d: { name: D, prefixes: [bad, 203.0.113.0/25, 203.0.113.0/26], ports: [{ device: a, interface: p1 }] }\n  e: { name: E, prefixes: [203.0.113.64/26] }\n',
    )

    expect(found.map((each) => `${each.file} ${brief(each)}`)).toEqual([
      'isp/0.yaml 4:32 devices.a.address: "10.0.0.1/32" is no IP address',
      'isp/0.yaml 5:48 devices.b.jump: there is no jump host "j"',
      'isp/1.yaml 1:10 version: 3 is not 1',
      'isp/1.yaml 3:3 customers.c.name: "name" is missing',
      'isp/1.yaml 3:19 customers.c.prefixes[0]: "1.2.3.4/24" has host bits set: the prefix of that length is 1.2.3.0/24, the single address is 1.2.3.4',
      'isp/1.yaml 4:28 customers.d.prefixes[0]: "bad" is no IP address',
      'isp/1.yaml 5:28 customers.e.prefixes[0]: 203.0.113.64/26 of e overlaps 203.0.113.0/25 of d (isp/1.yaml:4)',
    ])
  })

  it('of an id in two files names both', () => {
    const found = problemsIn(
      devices,
      `version: 1\ndevices:\n${device('edge1', 'address: 10.0.0.2')}`,
    )

    expect(found.map(({ file, message }) => `${file}: ${message}`)).toEqual([
      'isp/1.yaml: "edge1" is given twice: first in isp/0.yaml:4',
    ])
  })

  it('of YAML that does not parse leaves references into that file alone', () => {
    const found = problemsIn(
      `${head}devices: [\n`,
      'version: 1\ncustomers:\n  a: { name: A, ports: [{ device: edge1, interface: p1 }] }\n',
    )

    expect(found.map(({ file }) => file)).toEqual(['isp/0.yaml'])
  })

  it('prints with place, what was found, what was expected and what to do', () => {
    const [problem] = problemsIn('version: 2\n')

    expect(problem === undefined ? '' : printProblem(problem)).toBe(
      'isp/0.yaml:1:10: version: 2 is not 1\n    found:    2\n    expected: 1\n    do:       write 1',
    )
  })
})

describe('a warning', () => {
  const warningsIn = (text: string) => {
    const result = parseInventory([source(text)], platformNames)
    return result.ok ? result.warnings.map(brief) : result.problems.map(brief)
  }

  it.each([
    [
      'text behind " #" without a blank',
      `${customers}  a: { name: A } #1\n  b:\n    name: Box #7\n`,
      ['8:11 customers.b.name: "#7" behind the value is a comment to YAML, not part of it'],
    ],
    [
      'a prefix inside another of the same customer',
      `${customers}  a: { name: A, prefixes: [203.0.113.0/24, 203.0.113.64/26] }\n`,
      [
        '6:44 customers.a.prefixes[1]: 203.0.113.64/26 lies inside 203.0.113.0/24 of the same customer',
      ],
    ],
    [
      'protected space inside a prefix',
      `${customers}  a: { name: A, prefixes: [203.0.113.0/24] }\nprotected: [{ prefix: 203.0.113.53/32, why: resolver }]\n`,
      [
        '6:28 customers.a.prefixes[0]: when 203.0.113.0/24 is cut off, 203.0.113.53/32 (protected: resolver) is left out of it',
      ],
    ],
    [
      'a prefix that is nothing but a gateway',
      `${head}devices:\n${device('r', 'address: 10.0.0.1, gateways: [203.0.113.1]')}customers:\n  a: { name: A, prefixes: [203.0.113.1] }\n`,
      ['6:28 customers.a.prefixes[0]: 203.0.113.1/32 can never be cut off: it is the gateway of r'],
    ],
    [
      'a prefix shorter than may be cut off',
      `${customers}  a: { name: A, prefixes: [203.0.112.0/23] }\n`,
      [
        '6:28 customers.a.prefixes[0]: 203.0.112.0/23 is shorter than limits.maxPrefix allows: a decision about all of it is refused',
      ],
    ],
  ])('is given for %s', (_, text, expected) => {
    expect(warningsIn(text)).toEqual(expected)
  })
})

describe('reading', () => {
  it('merges each *.yaml and *.yml of a folder, and leaves the rest', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'inventory-'))
    await writeFile(join(folder, 'b.yml'), devices)
    await writeFile(join(folder, 'a.yaml'), 'version: 1\ncustomers:\n  a: { name: A }\n')
    await writeFile(join(folder, 'notes.txt'), 'not: [yaml')
    const result = await loadInventory(folder, platformNames)
    await rm(folder, { recursive: true })

    expect(result.ok ? result.value.files.map(({ name }) => name) : result.problems).toEqual([
      'a.yaml',
      'b.yml',
    ])
  })

  it.each([
    [
      'a path that is not there',
      async (folder: string) => join(folder, 'nowhere'),
      'no such file or folder',
    ],
    ['an empty folder', async (folder: string) => folder, 'the folder holds no inventory'],
    [
      'a file that is not text',
      async (folder: string) => {
        await writeFile(join(folder, 'x.yaml'), Buffer.from([0xff, 0xfe, 0x00]))
        return folder
      },
      'not UTF-8 text',
    ],
  ])('tells of %s', async (_, make, message) => {
    const folder = await mkdtemp(join(tmpdir(), 'inventory-'))
    const result = await loadInventory(await make(folder), platformNames)
    await rm(folder, { recursive: true })

    expect(result.ok ? [] : result.problems.map((problem) => problem.message)).toEqual([message])
  })

  it('offers its schema to editors', () => {
    expect(inventorySchemaJson()).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      required: ['version'],
      additionalProperties: false,
    })
  })
})
