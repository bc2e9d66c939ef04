// The objects that the driver knows on Junos, as the statements that make them: what claims hold, and what the device's difference must show.

import { familyOf, type Prefix } from '../../../inventory/prefix.ts'
import type { Intent } from '../../intents.ts'
import { type Facts, groupFact } from '../../platform.ts'
import { normalQuotes, type Statement } from './statements.ts'

/** A constant: who asked for an object never stands on the device. */
export const mark = 'apply-macro nullroute'

/** Prefix lists that the operator prepares and uses in a filter. */
export const listNames = { 4: 'nullroute-v4', 6: 'nullroute-v6' } as const

/** Entries that keep the lists from being empty, never touched. */
export const sentinels: readonly string[] = ['192.0.2.255/32', '100::dead/128']

type Of<K extends Intent['kind']> = Extract<Intent, { readonly kind: K }>

/** Where the static routes of a table stand: `routing-options static`, `routing-instances CUST routing-options rib CUST.inet6.0 static`. */
export function staticPath(vrf: string, family: 4 | 6): Statement {
  const instance = vrf === 'default' ? '' : `routing-instances ${vrf} `
  const table = vrf === 'default' ? 'inet6.0' : `${vrf}.inet6.0`
  return `${instance}routing-options ${family === 6 ? `rib ${table} ` : ''}static`
}

/** Name of the table in `show route`. */
export function tableName(vrf: string, family: 4 | 6): string {
  return `${vrf === 'default' ? '' : `${vrf}.`}inet${family === 6 ? '6' : ''}.0`
}

/** The route of a blackhole intent, without what is said of it. */
export function routePath({ vrf, prefix }: Of<'blackhole'>): Statement {
  return `${staticPath(vrf, familyOf(prefix))} route ${prefix}`
}

/** A discard route of ours. */
export function blackholeObject(intent: Of<'blackhole'>): readonly Statement[] {
  const path = routePath(intent)
  return [`${path} discard`, `${path} tag ${intent.tag}`, `${path} ${mark}`]
}

/** An entry of a prefix list. One line serves both directions where the filter has `from prefix-list`. */
export function entryPath(prefix: Prefix): Statement {
  return `policy-options prefix-list ${listNames[familyOf(prefix)]} ${prefix}`
}

/** Port or unit: `interfaces ge-0/0/7`, `interfaces ge-0/0/7 unit 100`. */
export function portPath({ port }: Of<'port'>): Statement {
  const [, name, unit] = /^(.*)\.(\d+)$/.exec(port) ?? []
  return name === undefined ? `interfaces ${port}` : `interfaces ${name} unit ${unit}`
}

/** A port that we switched off. */
export function portObject(intent: Of<'port'>): readonly Statement[] {
  return [`${portPath(intent)} disable`, `${portPath(intent)} ${mark}`]
}

/** The neighbor in its group. Built from checked fields only: without the address the same words shut the whole group. */
export function neighborPath({ vrf, peer }: Of<'neighbor'>, facts: Facts): Statement {
  const instance = vrf === 'default' ? '' : `routing-instances ${vrf} `
  const group = facts[groupFact(vrf, peer)] ?? '<group>'
  return `${instance}protocols bgp group ${group} neighbor ${peer}`
}

/** A neighbor that we shut. */
export function neighborObject(intent: Of<'neighbor'>, facts: Facts): readonly Statement[] {
  const path = `${neighborPath(intent, facts)} shutdown`
  return [normalQuotes(`${path} notify-message "${intent.message}"`), `${path} ${mark}`]
}

/** A neighbor that we deactivated, on releases without `shutdown`. */
export function inactiveObject(intent: Of<'neighbor'>, facts: Facts): readonly Statement[] {
  return [`inactive ${neighborPath(intent, facts)}`]
}

/** `shutdown` of a neighbor came with 19.1. A release that isn't known is taken for a newer one. */
export function hasShutdown(facts: Facts): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(facts['version'] ?? '') ?? []
  if (major === undefined) return true
  return Number(major) > 19 || (Number(major) === 19 && Number(minor) >= 1)
}

/** Order of the statements of one object, so that equal objects are equal texts. */
export function ordered(statements: readonly Statement[]): readonly Statement[] {
  const rank = (one: Statement): number =>
    [/ (?:discard|disable|notify-message .*)$/, / tag \d+$/].findIndex((at) => at.test(one))
  const place = (one: Statement): number => {
    if (one.endsWith(` ${mark}`)) return 9
    return rank(one) < 0 ? 5 : rank(one)
  }
  return [...statements].sort((a, b) => place(a) - place(b) || (a < b ? -1 : a > b ? 1 : 0))
}
