// Claims, and how far each device has come, held against what was written down before a device was changed. Not held: the phase of a claim, that one is still there, and what else is known of a device.

import type Database from 'better-sqlite3'
import type { Claim } from '../../agent/diff.ts'
import { keyOf } from '../../agent/intents.ts'
import type { Json } from '../audit/canonical.ts'
import type { Finding } from '../audit/findings.ts'
import type { DeviceState, Wanted } from './store.ts'
import {
  finding,
  type LogReader,
  type LogRecord,
  looking,
  parted,
  partedColumns,
  textOf,
  unknown,
} from './verify-log.ts'

/** What a record says of one key, before it was changed or when it was taken over. */
interface Written {
  readonly seq: number
  /** Absent where it was taken over. */
  readonly step?: number
  readonly before?: Json
  readonly wrote?: Json
  readonly replaces?: Json
  readonly earlier?: Json
  readonly stood?: Json
}

/** What the log says of the devices that hold claims. */
interface Known {
  /** By device and key, oldest first. */
  readonly written: Map<string, Written[]>
  /** Steps (by device) that a device did not take, or took back: what was claimed before them may stand again. */
  readonly undone: Set<string>
  /** Devices of which something was withheld. */
  readonly withheld: Set<string>
}

/** Where a claim is not what was written when it was made: what a release gives back comes from its `before`. */
export function claimFindings(db: Database.Database, log: LogReader): readonly Finding[] {
  const rows = db
    .prepare<[], { device: string; key: string; doc: string }>(
      'select device, key, doc from claims order by device, key',
    )
    .all()
  if (rows.length === 0) return []
  const known = knownOf(log, new Set(rows.map(({ device, key }) => `${device} ${key}`)))
  const wanted = intentsWanted(db, new Set(rows.map(({ device, key }) => `${device} ${key}`)))
  return rows.flatMap(({ device, key, doc }) => {
    const place = `${device} ${key}`
    const written = known.written.get(place) ?? []
    return looking(`claim ${key} on ${device}`, written.at(-1)?.seq, () => {
      const claim = JSON.parse(doc) as Claim // written by the store alone, or what is looked for here
      const taken = written.some(({ step }) => step === undefined)
      return [
        ...partedColumns({ key }, { key: claim.key }),
        ...(keyOf(claim.intent) === key ? [] : [`its row holds ${keyOf(claim.intent)}`]),
        ...(taken || wanted.get(place)?.has(textOf(claim.intent)) === true
          ? []
          : [`no enforcement wants what its row holds: ${textOf(claim.intent)}`]),
        ...claimProblems(claim, { device, written, known }),
      ]
    })
  })
}

function knownOf(log: LogReader, claimed: ReadonlySet<string>): Known {
  const known: Known = { written: new Map(), undone: new Set(), withheld: new Set() }
  const devices = new Set([...claimed].map((place) => place.slice(0, place.indexOf(' '))))
  const types = [
    'device.observed',
    'device.adopted',
    'device.commands_done',
    'device.rolled_back',
  ] as const
  for (const record of log.ofTypes(types)) {
    const device = record.on['device'] ?? ''
    if (!devices.has(device)) continue
    if (record.type === 'device.observed' || record.type === 'device.adopted') {
      noteWritten(known, claimed, { device, record })
    } else if (record.type === 'device.rolled_back' || record.outcome !== 'ok') {
      known.undone.add(`${device} ${textOf(record.data['step'])}`)
    }
  }
  return known
}

function noteWritten(
  { written, withheld }: Known,
  claimed: ReadonlySet<string>,
  { device, record }: { readonly device: string; readonly record: LogRecord },
): void {
  const intents = record.said('/data/intents')
  if (!Array.isArray(intents)) {
    withheld.add(device)
    return
  }
  const { step } = record.data
  // Written by the journal of a device: [{key, before, wrote}].
  for (const one of intents as readonly (Omit<Written, 'seq'> & { readonly key: string })[]) {
    const place = `${device} ${one.key}`
    if (!claimed.has(place)) continue
    const { key: _key, ...facts } = one
    const known = written.get(place) ?? []
    known.push({ ...facts, seq: record.seq, ...(typeof step === 'number' ? { step } : {}) })
    written.set(place, known)
  }
}

function claimProblems(
  claim: Claim,
  {
    device,
    written,
    known,
  }: { readonly device: string; readonly written: readonly Written[]; readonly known: Known },
): readonly string[] {
  const until = written.filter(({ step = 0 }) => step <= claim.step)
  let problems: readonly string[] = [
    'no record says how it was made, or not by the step in its row',
  ]
  for (const [i, one] of until.toReversed().entries()) {
    const differences = writtenProblems(claim, one)
    if (differences.length === 0) return []
    // What is said is how it parts from the newest.
    if (i === 0) problems = differences
    if (!known.undone.has(`${device} ${one.step}`)) break
  }
  return until.length === 0 && known.withheld.has(device) ? [] : problems
}

function writtenProblems(claim: Claim, one: Written): readonly string[] {
  const before = textOf(one.before)
  const is = textOf(claim.before)
  const replaces = claim.phase === 'pending' && one.wrote !== undefined
  return [
    ...(before === is ? [] : [`its row says that ${is} was there before, the log ${before}`]),
    ...parted([
      ['object that was written', one.wrote ?? unknown, claim.wrote],
      ['object that it replaces', replaces ? one.replaces : unknown, claim.replaces],
      // Forgotten once it is saved.
      [
        'forms that it had before',
        claim.earlier === undefined ? unknown : one.earlier,
        claim.earlier,
      ],
      ['effect that stood before it', one.stood, claim.stood],
    ]),
  ]
}

// What is wanted of a claimed key, by whatever enforcement: attributes that a key does not hold stand in no other record.
function intentsWanted(
  db: Database.Database,
  claimed: ReadonlySet<string>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const wanted = new Map<string, Set<string>>()
  const rows = db
    .prepare<[], { device: string; key: string; doc: string }>(
      'select device, key, doc from wanted',
    )
    .iterate()
  for (const { device, key, doc } of rows) {
    const place = `${device} ${key}`
    if (!claimed.has(place)) continue
    const intents = wanted.get(place) ?? new Set()
    intents.add(intentText(doc))
    wanted.set(place, intents)
  }
  return wanted
}

function intentText(doc: string): string {
  try {
    return textOf((JSON.parse(doc) as Wanted).intent)
  } catch {
    // Told of its enforcement.
    return ''
  }
}

/** Where a device is said to have come farther than the log says, or less far; and steps that wait for their end, or don't. */
export function stepFindings(db: Database.Database, log: LogReader): readonly Finding[] {
  const steps = new Map<string, number>()
  const saved = new Map<string, number>()
  const open = new Map<string, number>()
  const types = ['device.commands_intended', 'device.commands_done', 'device.saved'] as const
  for (const record of log.ofTypes(types)) {
    const { device = '', enforcement = '' } = record.on
    const { step } = record.data
    if (typeof step !== 'number') continue
    const place = `${device} ${step} ${enforcement}`
    if (record.type === 'device.saved') saved.set(device, step)
    else if (record.type === 'device.commands_done') open.delete(place)
    else {
      steps.set(device, step)
      open.set(place, record.seq)
    }
  }
  return [...deviceFindings(db, steps, saved), ...openFindings(db, new Set(open.values()))]
}

function deviceFindings(
  db: Database.Database,
  steps: ReadonlyMap<string, number>,
  saved: ReadonlyMap<string, number>,
): readonly Finding[] {
  const rows = db
    .prepare<[], { device: string; doc: string }>('select device, doc from device_state')
    .all()
  const known = new Set(rows.map(({ device }) => device))
  const found = rows.flatMap(({ device, doc }) =>
    looking(`device ${device}`, undefined, () => {
      const state = JSON.parse(doc) as DeviceState // as above
      return [
        ...partedColumns({ device }, { device: state.device }),
        ...parted([
          ['number of its last step', steps.get(device) ?? 0, state.step],
          ['last step that was saved', saved.get(device), state.savedStep],
        ]),
      ]
    }),
  )
  const lost = [...steps.keys()].filter((device) => !known.has(device))
  return [
    ...found,
    ...lost.map((device) => finding(`device ${device}: was changed, and its row is not there`)),
  ]
}

function openFindings(db: Database.Database, open: ReadonlySet<number>): readonly Finding[] {
  const rows = db.prepare<[], { seq: number }>('select seq from open_steps').all()
  const known = new Set(rows.map(({ seq }) => seq))
  return [
    ...[...known]
      .filter((seq) => !open.has(seq))
      .map((seq) => finding('a step is kept as open, and the log has its end', seq)),
    ...[...open]
      .filter((seq) => !known.has(seq))
      .map((seq) => finding('a step has no end in the log, and is not kept as open', seq)),
  ]
}
