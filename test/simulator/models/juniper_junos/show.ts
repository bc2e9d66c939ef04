// What a Junos device shows: configuration, commits, ports, BGP. Routes are show-route.ts.

import { dispatch } from '../dispatch.ts'
import { macOf } from '../frr/config.ts'
import { printJson, showRoute } from './show-route.ts'
import { type Commit, hostOf, type JunosState } from './state.ts'
import {
  compareTrees,
  displaySet,
  entriesOf,
  entryName,
  findStatement,
  printStatement,
  readPaths,
  type Statement,
  valueOf,
  wordsOf,
} from './tree.ts'

/** What is behind the bars of a line. */
export interface Filters {
  readonly display: 'text' | 'set' | 'json'
  /** `compare`: against this many commits ago. */
  readonly compare: number | undefined
}

/** The answer to a `show` line at `>`, or undefined: unknown. */
export function show(state: JunosState, line: string, filters: Filters): string | undefined {
  const words = wordsOf(line).slice(2)
  const json = filters.display === 'json'
  return dispatch<string | undefined>(line, [
    [/^show configuration\b/, () => showConfiguration(state, state.running, words, filters)],
    [/^show route\b/, () => showRoute(state, words, json)],
    [/^show interfaces\b/, () => showInterfaces(state, words, json)],
    [/^show bgp\b/, () => showBgp(state, words, json)],
    [/^show system\b/, () => showSystem(state, words[0])],
    [/^show version\b/, () => version(state)],
    [/^show firewall\b/, () => showFirewall(state, words)],
    [
      /^show cli\b/,
      () =>
        `Current user: '${state.spec.username}' class 'super-user'\nPermissions:\n    all            -- Can perform all operations\n`,
    ],
    [
      /^show chassis\b/,
      () =>
        'Hardware inventory:\nItem             Version  Part number  Serial number     Description\nChassis                                SIM0001           MX204\n',
    ],
  ])
}

function version(state: JunosState): string {
  return `Hostname: ${hostOf(state)}\nModel: mx204\nJunos: ${state.version}\nJUNOS OS Kernel 64-bit  [simulated]\nJUNOS Routing Software Suite [${state.version}]\n`
}

/** The statements below a path, in the asked form. `undefined`: no such path in the schema. */
export function showConfiguration(
  state: JunosState,
  tree: Statement,
  words: readonly string[],
  { display, compare }: Filters,
): string | undefined {
  if (compare !== undefined) {
    const other = compare === 0 ? state.running : (state.commits[compare]?.tree ?? state.running)
    return textOf(compareTrees(other, tree))
  }
  if (display === 'json') return printJson({ configuration: [{ data: 'not modelled' }] })
  const paths = readPaths(tree, words, true)
  if (paths.kind === 'error') return undefined
  const path = paths.paths[0] ?? []
  const last = path.at(-1)
  if (last === undefined) {
    const braces = (): string =>
      lastCommit(state) + textOf(tree.children.flatMap((one) => printStatement(one)))
    return display === 'set' ? textOf(displaySet(tree, [])) : braces()
  }
  const above = path.slice(0, -1).map(({ name }) => name)
  const shown = matching(findStatement(tree, ...above), last)
  return display === 'set'
    ? textOf(shown.flatMap((one) => displaySet(one, above)))
    : textOf(insideOf(shown, last.name).flatMap((one) => printStatement(one)))
}

/** A level of its own shows what is in it; leaves and the entries of a list show themselves. */
function insideOf(shown: readonly Statement[], name: string): readonly Statement[] {
  const [first, second] = shown
  const level = second === undefined && first?.name === name && first.schema.kind !== 'leaf'
  return level ? first.children : shown
}

/** The statement of a step; of a list without a name all its entries. */
function matching(
  parent: Statement | undefined,
  step: { readonly name: string; readonly schema: { readonly kind: string } },
): Statement[] {
  const all = parent?.children ?? []
  return all.filter(
    ({ name }) =>
      name === step.name || (step.schema.kind === 'list' && name.startsWith(`${step.name} `)),
  )
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}

function lastCommit({ commits }: JunosState): string {
  return `## Last commit: ${timeText(commits[0]?.at ?? new Date(0))} by ${commits[0]?.user}\n`
}

/** `2026-11-24 10:02:11 UTC`. */
export function timeText(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

function showSystem(state: JunosState, what = ''): string | undefined {
  switch (what) {
    case 'commit':
      return state.commits.map((commit, at) => commitLine(state, commit, at)).join('')
    case 'uptime': {
      const at = timeText(state.settings.clock.now())
      return `Current time: ${at}\nTime Source:  NTP CLOCK\nSystem booted: 2026-10-01 06:00:00 UTC (8w1d 04:30 ago)\nProtocols started: 2026-10-01 06:05:00 UTC (8w1d 04:25 ago)\nLast configured: ${timeText(state.commits[0]?.at ?? new Date(0))} (00:00:10 ago) by ${state.commits[0]?.user}\n`
    }
    case 'users':
      return ` 10:30AM  up 57 days, 4:30, 1 users, load averages: 0.10, 0.12, 0.09\nUSER     TTY      FROM                              LOGIN@  IDLE WHAT\n`
    case 'information':
      return `Model: mx204\nFamily: junos\nJunos: ${state.version}\nHostname: ${hostOf(state)}\n`
    default:
      return undefined
  }
}

function commitLine(state: JunosState, commit: Commit, at: number): string {
  const window =
    commit.confirmed === undefined ? '' : ` commit confirmed, rollback in ${commit.confirmed}mins`
  const head = `${String(at).padEnd(3)} ${timeText(commit.at)} by ${commit.user} via ${commit.via}${window}\n`
  const comment = commit.comment === undefined ? '' : `    ${commit.comment}\n`
  const pending = at === 0 && state.pending !== undefined ? '    rollback pending\n' : ''
  return head + comment + pending
}

function showInterfaces(
  state: JunosState,
  words: readonly string[],
  json: boolean,
): string | undefined {
  const terse = words.includes('terse')
  const described = words.includes('descriptions')
  const [asked, ...more] = words.filter(
    (word) => !/^(?:terse|descriptions|brief|extensive|detail|media)$/.test(word),
  )
  if (more.length > 0) return undefined
  const physical = state.spec.ports.map(({ name }) => name)
  const name = asked?.replace(/\.\d+$/, '')
  if (name !== undefined && !physical.includes(name) && name !== 'lo0') {
    return `error: device ${name} not found\n`
  }
  const shown = name === undefined ? ['lo0', ...physical] : [name]
  const config = (one: string): Statement | undefined =>
    findStatement(state.running, 'interfaces', one)
  const isDown = (one: string): boolean =>
    findStatement(config(one) ?? state.running, 'disable') !== undefined
  const description = (one: string): string | undefined => valueOf(config(one), 'description')
  if (json) {
    return printJson({
      'interface-information': [
        {
          'physical-interface': shown.map((one) =>
            jsonInterface(one, isDown(one), description(one)),
          ),
        },
      ],
    })
  }
  if (described) {
    const rows = shown
      .filter((one) => description(one) !== undefined)
      .map(
        (one) =>
          `${one.padEnd(15)} ${(isDown(one) ? 'down' : 'up').padEnd(5)} ${(isDown(one) ? 'down' : 'up').padEnd(4)} ${description(one)}\n`,
      )
    return `Interface       Admin Link Description\n${rows.join('')}`
  }
  if (terse) {
    const rows = shown.map((one) => {
      const state = `${(isDown(one) ? 'down' : 'up').padEnd(5)} ${isDown(one) ? 'down' : 'up'}`
      return [`${one.padEnd(23)} ${state}\n`, ...terseUnits(config(one), one, state)].join('')
    })
    return `Interface               Admin Link Proto    Local                 Remote\n${rows.join('')}`
  }
  return shown.map((one, at) => textInterface(one, at, isDown(one), description(one))).join('\n')
}

/** Each unit with its addresses: the first behind its name, the others in lines of their own. */
function terseUnits(port: Statement | undefined, name: string, state: string): string[] {
  return (port === undefined ? [] : entriesOf(port, 'unit')).map((unit) => {
    const held = entriesOf(unit, 'family').flatMap((family) =>
      entriesOf(family, 'address').map(
        (address) => `${family.name.slice('family '.length).padEnd(8)} ${entryName(address)}`,
      ),
    )
    const [first = '', ...more] = held
    const head = `${`${name}.${entryName(unit)}`.padEnd(23)} ${state.padEnd(10)} ${first}`
    return [head, ...more.map((one) => `${' '.repeat(35)}${one}`)]
      .map((line) => `${line.trimEnd()}\n`)
      .join('')
  })
}

function jsonInterface(name: string, down: boolean, description: string | undefined): object {
  return {
    name: [{ data: name }],
    'admin-status': [
      {
        data: down ? 'down' : 'up',
        attributes: { 'junos:format': down ? 'Administratively down' : 'Enabled' },
      },
    ],
    'oper-status': [{ data: down ? 'down' : 'up' }],
    ...(description === undefined ? {} : { description: [{ data: description }] }),
  }
}

function textInterface(
  name: string,
  at: number,
  down: boolean,
  description: string | undefined,
): string {
  const state = down
    ? 'Administratively down, Physical link is Down'
    : 'Enabled, Physical link is Up'
  const mac = macOf(name)
  return `Physical interface: ${name}, ${state}
  Interface index: ${140 + at}, SNMP ifIndex: ${520 + at}
${description === undefined ? '' : `  Description: ${description}\n`}  Link-level type: Ethernet, MTU: 1514, Speed: 10Gbps, Loopback: Disabled, Source filtering: Disabled, Flow control: Enabled
  Device flags   : Present Running${down ? ' Down' : ''}
  Interface flags: SNMP-Traps Internal: 0x4000${down ? ' Down' : ''}
  Current address: ${mac}, Hardware address: ${mac}
  Input rate     : 0 bps (0 pps)
  Output rate    : 0 bps (0 pps)
`
}

interface Peer {
  readonly address: string
  readonly group: string
  readonly instance: string
  readonly asn: string
  readonly shut: boolean
  readonly message: string | undefined
  readonly description: string | undefined
}

function peersOf(state: JunosState): Peer[] {
  const instances = findStatement(state.running, 'routing-instances')?.children ?? []
  const places = [
    { name: 'master', tree: state.running },
    ...instances.map((one) => ({ name: one.name, tree: one })),
  ]
  return places.flatMap(({ name, tree }) => {
    const bgp = findStatement(tree, 'protocols', 'bgp')
    const all = findStatement(bgp ?? tree, 'shutdown') !== undefined && bgp !== undefined
    return entriesOf(bgp, 'group').flatMap((group) =>
      entriesOf(group, 'neighbor')
        .filter(({ inactive }) => !inactive && !group.inactive)
        .map((one): Peer => {
          const own = findStatement(one, 'shutdown')
          const asn = valueOf(one, 'peer-as') ?? valueOf(group, 'peer-as') ?? state.spec.asn
          return {
            address: entryName(one),
            group: entryName(group),
            instance: name,
            asn,
            shut: all || own !== undefined || findStatement(group, 'shutdown') !== undefined,
            message: valueOf(own, 'notify-message'),
            description: valueOf(one, 'description'),
          }
        }),
    )
  })
}

function showBgp(state: JunosState, words: readonly string[], json: boolean): string | undefined {
  const peers = peersOf(state)
  if (findStatement(state.running, 'protocols', 'bgp') === undefined && peers.length === 0) {
    return json ? printJson({ output: [{ data: 'BGP is not running' }] }) : 'BGP is not running\n'
  }
  if (words[0] === 'summary') return bgpSummary(peers)
  if (words[0] !== 'neighbor') return undefined
  const at = words.indexOf('instance')
  const instance = at < 0 ? undefined : words[at + 1]
  const asked = words[1] === 'instance' ? undefined : words[1]
  const shown = peers.filter(
    (peer) =>
      (asked === undefined || peer.address === asked) &&
      (instance === undefined || peer.instance === instance),
  )
  if (json) {
    return printJson({
      'bgp-information': [{ 'bgp-peer': shown.map((peer) => jsonPeer(state, peer)) }],
    })
  }
  if (shown.length === 0) return asked === undefined ? '' : `error: Neighbor not found\n`
  return shown.map((peer) => textPeer(state, peer)).join('\n')
}

function jsonPeer(state: JunosState, peer: Peer): object {
  return {
    'peer-address': [{ data: `${peer.address}+179` }],
    'peer-as': [{ data: peer.asn }],
    'local-as': [{ data: state.spec.asn }],
    'peer-group': [{ data: peer.group }],
    'peer-cfg-rti': [{ data: peer.instance }],
    'peer-state': [{ data: peer.shut ? 'Idle' : 'Established' }],
    'bgp-option-information': [
      {
        'bgp-options': [{ data: 'PeerAS Refresh' }],
        'bgp-options-extended': [{ data: `GracefulShutdownRcv${peer.shut ? ' Shutdown' : ''}` }],
      },
    ],
  }
}

function textPeer(state: JunosState, peer: Peer): string {
  const type = peer.asn === state.spec.asn ? 'Internal' : 'External'
  return `Peer: ${peer.address}+179 AS ${peer.asn} Local: ${state.spec.routerId} AS ${state.spec.asn}
${peer.description === undefined ? '' : `  Description: ${peer.description}\n`}  Group: ${peer.group}             Routing-Instance: ${peer.instance}
  Type: ${type}    State: ${peer.shut ? 'Idle' : 'Established'}    Flags: <${peer.shut ? '' : 'Sync'}>
  Last State: ${peer.shut ? 'Established' : 'OpenConfirm'}   Last Event: ${peer.shut ? 'Stop' : 'RecvKeepAlive'}
  Last Error: ${peer.shut ? 'Cease' : 'None'}
  Options: <PeerAS Refresh>
  Options: <GracefulShutdownRcv${peer.shut ? ' Shutdown' : ''}>
  Holdtime: 90 Preference: 170
`
}

function bgpSummary(peers: readonly Peer[]): string {
  const down = peers.filter(({ shut }) => shut).length
  const rows = peers.map(
    (peer) =>
      `${peer.address.padEnd(21)} ${peer.asn.padStart(5)} ${'1042'.padStart(10)} ${'1038'.padStart(10)}       0       ${peer.shut ? 1 : 0} ${'6w3d 13:02:17'.padStart(11)} ${peer.shut ? 'Idle' : 'Establ'}\n`,
  )
  return `Threading mode: BGP I/O\nGroups: ${new Set(peers.map(({ group }) => group)).size} Peers: ${peers.length} Down peers: ${down}\nPeer                     AS      InPkt     OutPkt    OutQ   Flaps Last Up/Dwn State|#Active/Received/Accepted/Damped...\n${rows.join('')}`
}

function showFirewall(state: JunosState, words: readonly string[]): string | undefined {
  const filters = entriesOf(findStatement(state.running, 'firewall'), 'family').flatMap((family) =>
    entriesOf(family, 'filter'),
  )
  const name = words[0] === 'filter' ? words[1] : undefined
  const shown = filters.filter((one) => name === undefined || entryName(one) === name)
  if (shown.length === 0) return name === undefined ? '' : `error: filter ${name} not found\n`
  return shown
    .map((one) => {
      const counters = entriesOf(one, 'term').flatMap(
        (term) => valueOf(findStatement(term, 'then'), 'count') ?? [],
      )
      const rows = counters.map(
        (counter) => `${counter.padEnd(50)}                    0                    0\n`,
      )
      return `\nFilter: ${entryName(one)}\nCounters:\nName                                                Bytes              Packets\n${rows.join('')}`
    })
    .join('')
}
