// In whose chains a record of a device is written, and what of it: once for each enforcement that it is about, so that every chain is whole, and with
// what is of that one alone. With all of it in each, a step for a thousand enforcements would be written a million times.

import { elementsIn } from '../agent/elements.ts'
import { type Intent, type Key, keyOf } from '../agent/intents.ts'
import type { Id } from '../inventory/model.ts'
import type { Actor, Json, NewRecord } from './audit/record.ts'
import { servedBy } from './desired.ts'
import { inForce } from './enforcement.ts'
import type { Whom } from './serving.ts'
import type { Rows, Transaction } from './store/store.ts'

/** An object of a device. */
interface Placed {
  readonly key: Key
  readonly intent: Intent
}

/** Who writes, and of which device. */
interface Writer {
  readonly device: { readonly id: Id }
  readonly actor: Actor
}

type About = Omit<NewRecord, 'actor' | 'on'>

/** Each of them with what it says of one key. */
export type OfKeys = readonly ({ readonly key: Key } & Readonly<Record<string, Json>>)[]

/** For each of them the keys of a device that are of it; `undefined`: those that serve nobody, of which a record names the device alone. */
export type KeysBy = ReadonlyMap<string | undefined, ReadonlySet<Key>>

const serving = [...inForce, 'releasing'] as const

/** Whom objects of this device serve, in force or on their way out. */
export function servedOn(rows: Rows, device: Id, objects: readonly Placed[]): KeysBy {
  const about = { live: rows.live(), wanted: rows.wanted({ device }) }
  const served = servedBy(objects, about, serving)
  const ofSomebody = new Set([...served.values()].flatMap((keys) => [...keys]))
  const ofNobody = objects.map(({ key }) => key).filter((key) => !ofSomebody.has(key))
  return served.size > 0 && ofNobody.length === 0
    ? served
    : new Map([...served, [undefined, new Set(ofNobody)]])
}

/** The same of keys, whether they are claimed or only wanted. */
export function servedOnKeys(rows: Rows, device: Id, keys: readonly Key[]): KeysBy {
  const sought = new Set(keys)
  const known = new Map(placedOn(rows, device).map((one) => [one.key, one]))
  return servedOn(
    rows,
    device,
    [...known.values()].filter(({ key }) => sought.has(key)),
  )
}

/** What each of these wants of the device or expects to be seen there, and what stands for it. */
export function wantedBy(rows: Rows, device: Id, whom: Whom): KeysBy {
  const elementOf = elementsIn(placedOn(rows, device).map(({ intent }) => intent))
  const keysBy = new Map(whom.map((one) => [one, new Set<Key>()]))
  for (const { enforcement, key, intent } of rows.wanted({ device })) {
    keysBy
      .get(enforcement)
      ?.add(key)
      .add(keyOf(elementOf(intent)))
  }
  return keysBy
}

/** For each of these keys the enforcements that the object there serves. */
export function servesOf(
  rows: Rows,
  device: Id,
  objects: readonly Placed[],
): ReadonlyMap<Key, readonly string[]> {
  const serves = new Map<Key, string[]>()
  for (const [enforcement, keys] of servedOn(rows, device, objects)) {
    if (enforcement === undefined) continue
    for (const key of keys) {
      const known = serves.get(key)
      if (known === undefined) serves.set(key, [enforcement])
      else known.push(enforcement)
    }
  }
  return serves
}

function placedOn(rows: Rows, device: Id): readonly Placed[] {
  return [...rows.claims(device), ...rows.wanted({ device })]
}

/** The same record once for each of them. */
export function write(writer: Writer, tx: Transaction, whom: Whom, about: About): void {
  for (const enforcement of whom) append(writer, tx, enforcement, about)
}

/** A record for each of them, whose `intents` are those of its keys; `about` says the rest of it. */
export function writeOwn(
  writer: Writer,
  tx: Transaction,
  { keysBy, intents }: { readonly keysBy: KeysBy; readonly intents: OfKeys },
  about: (own: OfKeys, enforcement: string | undefined) => About,
): void {
  for (const [enforcement, keys] of keysBy) {
    const own = intents.filter(({ key }) => keys.has(key))
    const { data, ...rest } = about(own, enforcement)
    append(writer, tx, enforcement, { ...rest, data: { ...data, intents: own } })
  }
}

function append(
  { device, actor }: Writer,
  tx: Transaction,
  enforcement: string | undefined,
  about: About,
): void {
  tx.append({ ...about, actor, on: onOf(tx, device.id, enforcement) })
}

function onOf(rows: Rows, device: Id, enforcement: string | undefined): NewRecord['on'] {
  if (enforcement === undefined) return { device }
  const customer = rows.enforcement(enforcement)?.customer
  return customer === undefined ? { device, enforcement } : { device, enforcement, customer }
}
