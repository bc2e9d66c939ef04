// A router that is nothing but what lines say, as vtysh takes them (recorded in session_refusals_and_context_fallback_raw): for properties over many changes.

import { type Claim, decide } from '../../agent/diff.ts'
import { type Intent, keyOf } from '../../agent/intents.ts'
import type { Change, Line, Observation } from '../../agent/platform.ts'
import { frr } from '../../agent/platforms/frr/frr.ts'
import { linesOf, observed } from './conformance-kit.ts'

/** Its state: discard routes and next hops by prefix, ports that are shut, neighbors that are shut with their line. */
export interface Router {
  readonly routes: Map<string, string>
  readonly hops: Map<string, string>
  readonly down: Set<string>
  readonly shut: Map<string, string>
}

export const peers = ['192.0.2.9', '2001:db8::9']
export const ports = ['eth0', 'eth1']

/** A running configuration around these lines. */
export const config = (...lines: readonly string[]) =>
  ['Building configuration...', '', 'Current configuration:', '!', ...lines, '!', 'end'].join('\n')

/** What a device answers to this read where nobody but FRR has routes in the kernel, and else what is given. */
export function besidesKernel(line: string, answer: string): string {
  if (line.endsWith(' kernel json')) return '{\n}\n'
  return line.endsWith(' nexthop-group') ? '' : answer
}

export function type(router: Router, lines: readonly Line[]): void {
  let inside = ''
  for (const { text } of lines) {
    if (typeRoute(router, text) || typeNeighbor(router, text)) continue
    if (text === 'shutdown') router.down.add(inside)
    else if (text === 'no shutdown') router.down.delete(inside)
    else inside = text.replace('interface ', '')
  }
}

function typeRoute(router: Router, text: string): boolean {
  const [, no, line, at] = /^(no )?((?:ip|ipv6) route (\S+) .*)$/.exec(text) ?? []
  if (line === undefined || at === undefined) return false
  if (no !== undefined) router.routes.delete(at)
  else if (!router.hops.has(at)) router.routes.set(at, line)
  return true
}

function typeNeighbor(router: Router, text: string): boolean {
  const [, no, line, peer] = /^(no )?(neighbor (\S+) shutdown.*)$/.exec(text) ?? []
  if (line === undefined || peer === undefined) return false
  if (no !== undefined) router.shut.delete(peer)
  else router.shut.set(peer, line)
  return true
}

export function print(router: Router): string {
  return config(
    ...[...router.routes.values(), ...router.hops.values()].sort(),
    ...ports.flatMap((name) => [
      `interface ${name}`,
      ...(router.down.has(name) ? [' shutdown'] : []),
      'exit',
    ]),
    'router bgp 64500',
    ...peers.flatMap((peer) => [
      ` neighbor ${peer} remote-as 64501`,
      ...(router.shut.has(peer) ? [` ${router.shut.get(peer)}`] : []),
    ]),
    'exit',
  )
}

export function look(router: Router, intents: readonly Intent[]): Observation {
  const table: Record<string, string> = {
    'show running-config': print(router),
    'show daemons': ' zebra bgpd staticd',
  }
  for (const intent of intents) {
    const [, , ...reads] = frr.observe([intent], { host: '', nonce: '', facts: {} })
    for (const { line } of reads)
      table[line.text] = besidesKernel(line.text, JSON.stringify(stateOf(router, intent)))
  }
  return observed(frr, intents, table)
}

function stateOf(router: Router, intent: Intent): unknown {
  switch (intent.kind) {
    case 'blackhole': {
      const entry = { selected: true, installed: true, nexthops: [{ blackhole: true }] }
      return router.routes.has(intent.prefix) ? { [intent.prefix]: [entry] } : {}
    }
    case 'port': {
      const administrativeStatus = router.down.has(intent.port) ? 'down' : 'up'
      return { [intent.port]: { administrativeStatus, pseudoInterface: false } }
    }
    case 'neighbor': {
      const shut = { adminShutDown: true, bgpState: 'Idle' }
      const isShut = router.shut.has(intent.peer)
      return { [intent.peer]: isShut ? shut : { bgpState: 'Established' } }
    }
    case 'acl':
      return {}
  }
}

/** Each key once, the wanted one where both are there. */
export function union(claims: readonly Claim[], wanted: readonly Intent[]): readonly Intent[] {
  const all = [...claims.map(({ intent }) => intent), ...wanted]
  return [...new Map(all.map((intent) => [keyOf(intent), intent])).values()]
}

/** One convergence by the product's own decisions; answers the claims that stand after it. */
export function converge(
  router: Router,
  wanted: readonly Intent[],
  claims: readonly Claim[],
): readonly Claim[] {
  const observation = look(router, union(claims, wanted))
  const kept = new Map(claims.map((claim) => [claim.key, claim]))
  const changes: { readonly change: Change; readonly before: readonly string[] }[] = []
  for (const decision of decide(
    { wanted, expected: [], fading: [], claims, frozen: false },
    observation,
  )) {
    if (decision.kind === 'change') changes.push(decision)
    if (decision.kind === 'lifted') kept.delete(decision.key)
  }
  const renderings = frr.render(
    changes.map(({ change }) => change),
    observation.facts,
  )
  for (const [i, { change, before }] of changes.entries()) {
    const rendering = renderings[i]
    const { wrote } = linesOf(rendering)
    if (rendering?.kind === 'lines') type(router, rendering.apply)
    const key = keyOf(change.intent)
    if (change.kind === 'lift') kept.delete(key)
    else kept.set(key, { key, intent: change.intent, before, wrote, phase: 'held', step: 1 })
  }
  return [...kept.values()]
}
