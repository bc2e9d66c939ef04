// docs/faults.md, from what was seen. Pure, and the same bytes for the same outcomes: no times, no ids, no order of arrival.

import type { SimulatedPlatform } from '../simulator/spec.ts'
import { absentSteps, type Direction, places } from './places.ts'
import type { CellResult, Seen } from './play.ts'
import { type FaultKind, faultKinds, type Spot } from './table.ts'

/** Everything that the page is made of. */
export interface Findings {
  readonly platforms: readonly SimulatedPlatform[]
  readonly spots: readonly Spot[]
  readonly results: ReadonlyMap<string, readonly CellResult[]>
}

/** The page. */
export function faultsPage(findings: Findings): string {
  const count = [...findings.results.values()].flat().length
  return [
    introduction(count, faultKinds.length),
    steps(findings.platforms),
    ...faultKinds.map((fault) => section(fault, findings)),
    remedies(findings),
  ].join('\n')
}

function introduction(cells: number, faults: number): string {
  return `# What happens when something goes wrong

Written by \`npm run test:faults\`; a difference from what a run sees fails it. ${cells} cells: ${faults} faults, on each platform, at each step of a session, while suspending and while releasing.

Each cell is played through a whole controller, over real SSH, against a simulated device that holds a customer and bystanders. First the fault holds: the tables say what a user is told then, and what the device itself shows. Then the fault is taken away, and trying again must bring the decision into force, or lift it, with the device showing it; where the remedy says that it is tried or read again by itself, nobody asks for it. After the release the running and the saved configuration must be what they were before, to the byte.

No cell may end in one of these: something of somebody else changed (collateral), a decision lost, \`enforced\` while the device does not show it, \`released\` while it still does, or an error that names no code and no remedy. A run with such a cell fails and names it. One cell is played again by its name:

    npm run test:faults -- --only reset/frr/line-2

\`--fault\` and \`--platform\` play a part of the table.

In the tables **told** is the status of the enforcement, then that of the device in it, then the code of the error; what to do about each code stands at the end of this page. **shows** is what the device's configuration is at that moment:

- *as before*: nothing of the decision is there
- *partly*: some of its changes are there, and nothing else
- *in force*: exactly what the decision asks for

\`unsaved\` is no error: the decision is in force, or lifted, and a reboot would undo that until the configuration is saved; that is tried again by itself.
`
}

function steps(platforms: readonly SimulatedPlatform[]): string {
  return ['## Steps and lines\n', ...platforms.map(stepsOf)].join('\n')
}

function stepsOf(platform: SimulatedPlatform): string {
  const rows = places[platform]
    .filter(({ shown }) => shown.suspend !== undefined || shown.release !== undefined)
    // The reads are the same before a change and after it.
    .filter(({ step, further }) => step !== 'verify' || further !== true)
    .map(({ id, shown }) => {
      const [one, other] = [code(shown.suspend), code(shown.release)]
      return `| ${placeName(id)} | ${one} | ${one === other ? 'the same' : other} |`
    })
  const absent = absentSteps
    .filter((one) => one.platform === platform)
    .map(({ step, why }) => `No *${step}*: ${why}.`)
  return [
    `### ${platform}\n`,
    '| at | suspending | releasing |',
    '| --- | --- | --- |',
    ...rows,
    '',
    ...(absent.length === 0 ? [] : [absent.join(' '), '']),
  ].join('\n')
}

function code(text: string | undefined): string {
  if (text === undefined) return ''
  return text.includes('(') || text.includes(' and ') ? text : `\`${text.replaceAll('|', '\\|')}\``
}

function placeName(id: string): string {
  return id.replaceAll('-', ' ')
}

interface Row {
  readonly platform: SimulatedPlatform
  readonly ids: string[]
  readonly cells: string
}

function section(fault: FaultKind, { platforms, spots, results }: Findings): string {
  const rows: Row[] = []
  for (const platform of platforms) {
    for (const spot of spots) {
      if (spot.fault !== fault || spot.platform !== platform) continue
      const cells = cellsOf(results.get(spot.id) ?? [])
      const same = rows.find((row) => row.platform === platform && row.cells === cells)
      if (same === undefined) rows.push({ platform, ids: [spot.place.id], cells })
      else same.ids.push(spot.place.id)
    }
  }
  return [
    `## ${fault.title}\n`,
    `${fault.about} *${fault.rule}*\n`,
    '| platform | at | suspending: told | shows | releasing: told | shows |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows.map(({ platform, ids, cells }) => `| ${platform} | ${grouped(ids)} | ${cells} |`),
    '',
  ].join('\n')
}

/** `read, line 1–3, line 5, save`. */
function grouped(ids: readonly string[]): string {
  const runs: { readonly name: string; readonly from: number; last: number }[] = []
  for (const id of ids) {
    const [, name = id, digits] = /^(.*)-(\d+)$/.exec(id) ?? []
    // The first of several bears no number.
    const number = digits === undefined ? 1 : Number(digits)
    const run = runs.at(-1)
    if (run?.name === name && run.last + 1 === number) run.last = number
    else runs.push({ name, from: number, last: number })
  }
  return runs.map(({ name, from, last }) => runName(placeName(name), from, last)).join(', ')
}

function runName(name: string, from: number, last: number): string {
  if (from !== last) return `${name} ${from}–${last}`
  return from === 1 && name !== 'line' ? name : `${name} ${from}`
}

function cellsOf(results: readonly CellResult[]): string {
  const of = (direction: Direction): string => {
    const found = results.find((one) => one.direction === direction)
    return found === undefined ? '– | –' : `${told(found.seen)} | ${shown(found.seen)}`
  }
  return `${of('suspend')} | ${of('release')}`
}

function told({ status, device, code: error }: Seen): string {
  const why = error === '' ? '' : `, \`${error}\``
  return status === 'refused' ? `the request is refused${why}` : `${status}, ${device}${why}`
}

function shown({ shows, later }: Seen): string {
  return later === undefined ? shows : `${shows}; then: ${later}`
}

function remedies({ results }: Findings): string {
  const seen = [...results.values()].flat().map((one) => one.seen)
  const rows = new Set(
    seen
      .filter((one) => one.code !== '' && one.remedy !== '')
      .map((one) => `| \`${one.code}\` | ${one.remedy} |`),
  )
  return ['## What to do\n', '| code | remedy |', '| --- | --- |', ...[...rows].sort(), ''].join(
    '\n',
  )
}
