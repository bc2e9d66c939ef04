// What an IOS device shows: configuration, differences, lists, interfaces. Routes and BGP are show-route.ts and show-bgp.ts.

import type { Block } from '../blocks.ts'
import { printBlocks } from '../blocks.ts'
import { dispatch } from '../dispatch.ts'
import { macOf } from '../frr/config.ts'
import { configLines, type IosConfig, toBlocks } from './config.ts'
import { showBgp } from './show-bgp.ts'
import { showCef, showRoute } from './show-route.ts'
import { findInterface, type IosState, isShut, isUp, nameOf } from './state.ts'

/** A text, or the index of the word that is not understood. */
type Shown = string | { readonly invalid: number }

/** The answer to a `show` line, `invalid` (index of the word), or undefined: unknown. */
export function show(state: IosState, line: string): Shown | undefined {
  return dispatch<Shown | undefined>(line.slice('show '.length), [
    [/^running-config interface (.+)$/, ([, name = '']) => runningInterface(state, name)],
    [/^running-config/, () => running(state)],
    [/^startup-config/, () => startup(state.saved)],
    [/^version/, () => version(state)],
    [/^clock/, () => `${clockText(state.settings.clock.now())}\n`],
    [/^privilege/, () => 'Current privilege level is 15\n'],
    [/^reload/, () => 'No reload is scheduled.\n'],
    [/^users/, () => users(state)],
    [/^archive(?: (.*))?$/, ([, rest]) => archive(state, wordsIn(rest))],
    [/^configuration lock/, () => lock(state)],
    [/^object-group(?: (.*))?$/, ([, rest]) => groups(state, wordsIn(rest))],
    [/^access-lists(?: (\S+))?$/, ([, name]) => accessLists(state, name, /^ip access-list/)],
    [/^interfaces(?: (.*))?$/, ([, rest]) => interfaces(state, wordsIn(rest))],
    [/^bgp (.*)$/, ([, rest]) => showBgp(state, wordsIn(rest))],
    [/^(ip|ipv6) (.+)$/, ([, kind, rest = '']) => ipShow(state, kind === 'ip' ? 4 : 6, rest)],
    [/^vrf/, () => vrfs(state)],
    [/^logging/, () => 'Syslog logging: enabled\n'],
    [
      /^etherchannel/,
      () => 'Number of channel-groups in use: 0\nNumber of aggregators:           0\n',
    ],
  ])
}

function wordsIn(text: string | undefined): string[] {
  return text === undefined ? [] : text.split(' ')
}

function ipShow(state: IosState, family: 4 | 6, text: string): Shown | undefined {
  const lists = family === 4 ? /^ip access-list/ : /^ipv6 access-list/
  return dispatch<Shown | undefined>(text, [
    [/^route(?: (.*))?$/, ([, rest]) => showRoute(state, family, wordsIn(rest))],
    [/^cef(?: (.*))?$/, ([, rest]) => showCef(state, family, wordsIn(rest))],
    [/^bgp(?: (.*))?$/, ([, rest = 'summary']) => showBgp(state, wordsIn(rest))],
    [/^access-lists?(?: (\S+))?$/, ([, name]) => accessLists(state, name, lists)],
    [/^interface brief$/, () => (family === 4 ? brief(state) : brief6(state))],
    [/^interface (.+)$/, ([, name = '']) => ipInterface(state, name)],
  ])
}

function users(state: IosState): string {
  return `    Line       User       Host(s)              Idle       Location\n* 10 vty 0     ${state.spec.username}     idle                 00:00:00   192.0.2.10\n\n  Interface    User               Mode         Idle     Peer Address\n`
}

function clockText(at: Date): string {
  const [day, date, month, year] = at.toUTCString().replace(',', '').split(' ')
  return `${at.toISOString().slice(11, 23)} UTC ${day} ${month} ${Number(date)} ${year}`
}

/** Time as IOS writes it in configurations: `10:31:13 UTC Fri Nov 27 2026`. */
export function timeText(at: Date): string {
  const [day, date, month, year, time] = at.toUTCString().replace(',', '').split(' ')
  return `${time} UTC ${day} ${month} ${Number(date)} ${year}`
}

function running(state: IosState): string {
  const body = configLines(state.config).join('\n')
  const changed =
    state.lastChange === undefined
      ? ''
      : `!\n! Last configuration change at ${timeText(state.lastChange.at)} by ${state.lastChange.by}\n`
  return `Building configuration...\n\nCurrent configuration : ${body.length} bytes\n${changed}!\n${body}\n!\nend\n\n`
}

function startup(config: IosConfig): string {
  const body = configLines(config).join('\n')
  return `Using ${body.length} out of 524288 bytes\n!\n${body}\n!\nend\n\n`
}

function runningInterface(state: IosState, typed: string): Shown {
  const one = findInterface(state.config, typed)
  if (one === undefined) return { invalid: 3 }
  const body = printBlocks([one]).join('\n')
  return `Building configuration...\n\nCurrent configuration : ${body.length + 2} bytes\n!\n${body}\nend\n\n`
}

function version(state: IosState): string {
  return `Cisco IOS Software, Simulated Software (SIM-ADVENTERPRISEK9-M), Version ${state.spec.version ?? '15.9(3)M4'}, RELEASE SOFTWARE (fc1)
Technical Support: http://www.cisco.com/techsupport

ROM: Bootstrap program is simulated

${state.config.hostname} uptime is 6 weeks, 2 days, 3 hours, 11 minutes
System returned to ROM by reload
System image file is "flash0:sim-adventerprisek9-m"

Configuration register is 0x2102

`
}

function archive(state: IosState, words: readonly string[]): string | undefined {
  if (words.length === 0)
    return 'The maximum archive configurations allowed is 10.\nThere are currently 0 archive configurations saved.\n'
  if (words[0] !== 'config') return undefined
  if (words[1] === 'rollback' && words[2] === 'timer') return rollbackTimer(state)
  if (words[1] !== 'differences') return undefined
  const side = (name: string): IosConfig =>
    name.endsWith('startup-config') ? state.saved : state.config
  const [first = 'system:running-config', second = 'nvram:startup-config'] = words.slice(2)
  return differences(toBlocks(side(first)), toBlocks(side(second)))
}

function rollbackTimer(state: IosState): string {
  if (state.revert === undefined) return '%No Rollback Confirmed Change pending\n'
  const { at, minutes, user } = state.revert
  return `Time configured(or reconfigured): ${timeText(at)}\nTimer type: absolute timer\nTimer value: ${minutes} min\nUser: ${user}\n`
}

/** The contextual difference: `+` is only in the second, `-` only in the first; a parent of both stands without a sign. */
function differences(first: readonly Block[], second: readonly Block[]): string {
  const lines = compare(first, second, '')
  return lines.length === 0
    ? '!Contextual Config Diffs:\n!No changes were found\n\n'
    : `!Contextual Config Diffs:\n${lines.join('\n')}\n\n`
}

function compare(first: readonly Block[], second: readonly Block[], indent: string): string[] {
  const other = new Map(second.map((one) => [one.text, one]))
  const known = new Set(first.map(({ text }) => text))
  const both = first.flatMap((one) => {
    const twin = other.get(one.text)
    if (twin === undefined) return []
    const inner = compare(one.children, twin.children, `${indent} `)
    return inner.length === 0 ? [] : [`${indent}${one.text}`, ...inner]
  })
  const added = second
    .filter(({ text }) => !known.has(text))
    .flatMap((one) => signed(one, '+', indent))
  const removed = first
    .filter(({ text }) => !other.has(text))
    .flatMap((one) => signed(one, '-', indent))
  return [...both, ...added, ...removed]
}

function signed(one: Block, sign: string, indent: string): string[] {
  return [
    `${indent}${sign}${one.text}`,
    ...one.children.flatMap((child) => signed(child, sign, `${indent} `)),
  ]
}

function lock(state: IosState): string {
  const held = state.lockedBy
  return `Parser Configure Lock\n---------------------\nOwner PID           : ${held === undefined ? '-1' : '13'}\nUser                : ${held ?? 'unknown'}\nTTY                 : ${held === undefined ? '-1' : '0'}\nType                : ${held === undefined ? 'NO LOCK' : 'EXCLUSIVE'}\nState               : ${held === undefined ? 'FREE' : 'LOCKED'}\nClass               : Exposed\nCount               : 0\nPending Requests    : 0\nUser debug info     : 0\n`
}

function groups(state: IosState, words: readonly string[]): string {
  const name = words[0] === 'name' ? words[1] : words[0]
  return state.config.groups
    .filter(({ text }) => name === undefined || text === `object-group network ${name}`)
    .map((one) => {
      const members = one.children.filter(({ text }) => !text.startsWith('description'))
      return `Network object group ${one.text.split(' ')[2]}\n${members.map(({ text }) => ` ${text}\n`).join('')}`
    })
    .join('\n')
}

function accessLists(state: IosState, name: string | undefined, kind: RegExp): string {
  return state.config.tail
    .filter(({ text }) => kind.test(text))
    .filter(({ text }) => name === undefined || text.split(' ').at(-1) === name)
    .map(accessList)
    .join('')
}

function accessList(one: Block): string {
  const name = one.text.split(' ').at(-1)
  const v6 = one.text.startsWith('ipv6')
  const entries = one.children.map(({ text }) => {
    if (!v6) return `    ${text}\n`
    const at = text.indexOf(' ')
    return `    ${text.slice(at + 1)} sequence ${text.slice(0, at)}\n`
  })
  return `${v6 ? 'IPv6 access list' : 'Extended IP access list'} ${name}\n${entries.join('')}`
}

function interfaces(
  state: IosState,
  words: readonly string[],
): string | { readonly invalid: number } {
  const all = state.config.interfaces
  if (words[0] === 'status') return statusTable(state, all, words[1] === 'err-disabled')
  if (words[0] === 'description') return descriptionTable(state, all)
  if (words.length === 0) return all.map((one) => detail(state, one)).join('')
  const one = findInterface(state.config, words.join(' '))
  return one === undefined ? { invalid: 2 } : detail(state, one)
}

function description(one: Block): string {
  const line = one.children.find(({ text }) => text.startsWith('description '))
  return line?.text.slice('description '.length) ?? ''
}

/** `Gi1/0/7` for `GigabitEthernet1/0/7`. */
function shortName(one: Block): string {
  return nameOf(one).replace(/^([A-Z][a-z])[A-Za-z-]*/, '$1')
}

function statusTable(state: IosState, all: readonly Block[], only: boolean): string {
  const ports = all.filter((one) => /^interface (?!Loopback|Null|Vlan)/.test(one.text))
  const row = (one: Block): string => {
    const status = state.errDisabled.has(nameOf(one))
      ? 'err-disabled'
      : isShut(one)
        ? 'disabled'
        : 'connected'
    const access = one.children.find(({ text }) => text.startsWith('switchport access vlan '))
    const vlan = access?.text.split(' ').at(-1) ?? 'routed'
    return `${shortName(one).padEnd(9)} ${description(one).slice(0, 18).padEnd(18)} ${status.padEnd(12)} ${vlan.padEnd(10)} a-full a-1000 10/100/1000BaseTX\n`
  }
  if (only) {
    const rows = ports
      .filter((one) => state.errDisabled.has(nameOf(one)))
      .map(
        (one) =>
          `${shortName(one).padEnd(9)} ${description(one).slice(0, 18).padEnd(18)} err-disabled  psecure-violation\n`,
      )
    return `\nPort      Name               Status       Reason\n${rows.join('')}`
  }
  return `\nPort      Name               Status       Vlan       Duplex  Speed Type\n${ports.map(row).join('')}`
}

function descriptionTable(state: IosState, all: readonly Block[]): string {
  const rows = all.map((one) => {
    const status = isShut(one) ? 'admin down' : isUp(state, one) ? 'up' : 'down'
    const protocol = isUp(state, one) ? 'up' : 'down'
    return `${shortName(one).padEnd(30)} ${status.padEnd(14)} ${protocol.padEnd(8)} ${description(one)}`.trimEnd()
  })
  return `Interface                      Status         Protocol Description\n${rows.join('\n')}\n`
}

function detail(state: IosState, one: Block): string {
  const name = nameOf(one)
  const err = state.errDisabled.has(name)
  const line = isShut(one)
    ? 'administratively down, line protocol is down'
    : err
      ? 'down, line protocol is down (err-disabled)'
      : 'up, line protocol is up'
  const mac = macOf(`${state.config.hostname} ${name}`).replaceAll(':', '')
  const dotted = `${mac.slice(0, 4)}.${mac.slice(4, 8)}.${mac.slice(8)}`
  return `${name} is ${line}\n  Hardware is iGbE, address is ${dotted} (bia ${dotted})\n${description(one) === '' ? '' : `  Description: ${description(one)}\n`}  MTU 1500 bytes, BW 1000000 Kbit/sec, DLY 10 usec,\n     reliability 255/255, txload 1/255, rxload 1/255\n`
}

function brief(state: IosState): string {
  const rows = state.config.interfaces.map((one) => {
    const line = one.children.find(({ text }) => text.startsWith('ip address '))
    const address = line?.text.split(' ')[2] ?? 'unassigned'
    const status = isShut(one) ? 'administratively down' : isUp(state, one) ? 'up' : 'down'
    return `${nameOf(one).padEnd(26)} ${address.padEnd(15)} YES NVRAM  ${status.padEnd(21)} ${isUp(state, one) ? 'up' : 'down'}\n`
  })
  return `Interface                  IP-Address      OK? Method Status                Protocol\n${rows.join('')}`
}

function brief6(state: IosState): string {
  return state.config.interfaces
    .map((one) => {
      const up = isUp(state, one) ? 'up' : 'down'
      const own = one.children.flatMap(
        ({ text }) => /^ipv6 address ([^\s/]+)/.exec(text)?.[1] ?? [],
      )
      const lines = own.length === 0 ? ['unassigned'] : own
      return `${nameOf(one).padEnd(22)} [${isShut(one) ? 'administratively down' : up}/${up}]\n${lines.map((line) => `    ${line}\n`).join('')}`
    })
    .join('')
}

function ipInterface(state: IosState, typed: string): string | { readonly invalid: number } {
  const one = findInterface(state.config, typed)
  if (one === undefined) return { invalid: 3 }
  const bound = (way: string): string | undefined =>
    one.children
      .map(({ text }) => /^ip access-group (\S+) (in|out)$/.exec(text))
      .find((match) => match?.[2] === way)?.[1]
  const list = (way: string): string =>
    bound(way) === undefined ? 'access list is not set' : `access list is ${bound(way)}`
  return `${nameOf(one)} is ${isShut(one) ? 'administratively down' : 'up'}, line protocol is ${isUp(state, one) ? 'up' : 'down'}\n  Outgoing ${list('out')}\n  Inbound  ${list('in')}\n`
}

function vrfs(state: IosState): string {
  const rows = state.config.head
    .filter(({ text }) => text.startsWith('vrf definition '))
    .map(
      (one) =>
        `  ${one.text.split(' ')[2]?.padEnd(32)} ${one.children[0]?.text.slice(3).padEnd(21) ?? ''} ipv4\n`,
    )
  return `  Name                             Default RD            Protocols   Interfaces\n${rows.join('')}`
}
