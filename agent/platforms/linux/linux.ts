// Linux by a shell: iproute2 for routes and ports, nftables in a table of our own. There is no configuration, only kernel state and what a save writes to files.

import { type Intent, type Key, keyOf } from '../../intents.ts'
import {
  type Answer,
  type Change,
  type Facts,
  type Found,
  type Observation,
  type Platform,
  type Read,
  type Rendering,
  type Seen,
  terminalColumns,
} from '../../platform.ts'
import { batches } from './batch.ts'
import { canonical, configuration } from './canonical.ts'
import { filterReads, findFilter, markedElements, readFilters, renderFilters } from './filter.ts'
import { parted } from './many.ts'
import { detourQuestions, detourReads, readPolicy, withDetours } from './policy.ts'
import { findPort, portReads, renderPort } from './port.ts'
import { judge, reads } from './preflight.ts'
import { prepare } from './prepare.ts'
import {
  findBlackhole,
  markedRoutes,
  renderBlackhole,
  routeQuestions,
  routeReads,
  vrfFacts,
} from './routes.ts'
import { save } from './save.ts'
import { clean, failed, isRoot, open, prompt, runner } from './session.ts'

const noBgp = 'the kernel speaks no BGP: use the `frr` or `bird` device of the same host'

/** Linux with iproute2 and nftables, as root or by a narrow sudo fragment: blackhole, acl and port. */
export const linux: Platform = {
  name: 'linux',
  source:
    'ip-route(8), ip-link(8), nft(8), sudoers(5), dash(1) of Debian 12; recordings of iproute2 6.1.0, nftables 1.0.6, sudo 1.9.13p3 in test/fixtures/linux; tried by test/lab. VRF devices, bonds, VLANs, systemd units, other versions: unverified. Flowtables are seen by `device check` alone, not when a change is read back',
  limits: [{ kind: 'neighbor', reason: noBgp }],
  disjointSets: true,
  newline: '\n',
  echo: false,
  columns: terminalColumns,
  // Only where sudo is not what the preparation says; it is never answered.
  question: /(?:\[sudo\] password for \S+|[Pp]assword): $/,
  clean,
  open,
  prompt,
  failed,
  canonicalPort: (name) => name,
  // What is read here (routes, links, one table, our own files) holds no secrets.
  redact: (text) => text,
  rest: 'shell',
  observe,
  follow,
  parse,
  render,
  transaction: { kind: 'line', enter: [], leave: [], batches },
  save,
  preflight: { reads, judge },
  prepare,
  configuration,
  canonical,
}

function observe(intents: readonly Intent[], seen: Seen): readonly Read[] {
  const run = runner(seen.facts)
  const isAcl = intents.some(({ kind }) => kind === 'acl')
  return [
    ...routeReads(intents.filter(isBlackhole)),
    ...(isAcl ? filterReads(run) : []),
    ...portReads(
      intents.filter((intent) => intent.kind === 'port').map(({ port }) => port),
      seen.facts,
    ),
  ]
}

function follow(answers: ReadonlyMap<string, Answer>, intents: readonly Intent[]): readonly Read[] {
  const policy = readPolicy(answers, vrfFacts(answers))
  return detourReads(intents.filter(isBlackhole), answers, policy)
}

function isBlackhole(intent: Intent): intent is Intent & { kind: 'blackhole' } {
  return intent.kind === 'blackhole'
}

function parse(
  answers: ReadonlyMap<string, Answer>,
  intents: readonly Intent[],
  seen: Seen,
): Observation {
  const asked: ReadonlySet<string> = new Set(intents.map(keyOf))
  const filters = answers.has('table|inet') ? readFilters(answers) : { tables: [] }
  const facts: Facts = {
    ...seen.facts,
    ...vrfFacts(answers),
    ...(answers.has('table|inet')
      ? { tables: filters.tables.map(({ family }) => family).join(' ') }
      : {}),
  }
  const blackholes = intents.filter(isBlackhole)
  const policy = readPolicy(answers, facts)
  const routes = parted(answers, [
    ...routeQuestions(blackholes),
    ...detourQuestions(blackholes, policy),
  ])
  const findingOf = (intent: Intent): Omit<Found, 'key'> => {
    switch (intent.kind) {
      case 'blackhole':
        return withDetours(findBlackhole(intent, routes, facts), intent, routes, policy)
      case 'acl':
        return findFilter(intent, filters, asked)
      case 'port':
        return findPort(intent.port, answers)
      case 'neighbor':
        return { object: [], effect: 'none', mark: 'unmarkable', inForce: 'unknown' }
    }
  }
  const found = new Map<Key, Found>()
  for (const intent of intents) {
    const key = keyOf(intent)
    found.set(key, { key, ...findingOf(intent) })
  }
  const marked = [...markedRoutes(answers, asked, facts), ...markedElements(filters, asked)]
  return { found, marked, facts }
}

function render(changes: readonly Change[], facts: Facts): readonly Rendering[] {
  const run = runner(facts)
  const filters = renderFilters(changes, { run, isRoot: isRoot(facts), facts })
  return changes.map((change) => {
    const { intent } = change
    switch (intent.kind) {
      case 'blackhole':
        return renderBlackhole(change, intent, { run, facts })
      case 'acl': {
        const rendering = filters.get(change)
        if (rendering === undefined) throw new TypeError('a filter change was not rendered')
        return rendering
      }
      case 'port':
        return renderPort(change, intent.port, run)
      case 'neighbor':
        return { kind: 'unsupported', reason: noBgp }
    }
  })
}
