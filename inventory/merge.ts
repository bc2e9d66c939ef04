// The files of an inventory as one, each entry with its place: the same id in two files is a problem, lists are joined.

import { type Id, idPattern } from './model.ts'
import type { Problem } from './problem.ts'
import type { InventoryFile, RawCustomer, RawDevice, RawJump, RawShared } from './schema.ts'
import type { Shaped } from './shape.ts'
import type { Path } from './yaml.ts'
import type { Fault } from './yaml-syntax.ts'

/** Something of an inventory, and where it stands. */
export interface Entry<T> {
  /** '' where it has none. */
  readonly id: Id
  readonly value: T
  /** The folder of its file, which relative paths in it begin at. */
  readonly folder: string
  /** A problem at a place inside it; `key`: at the field's name. */
  problem(path: Path, fault: Fault, key?: boolean): Problem
  /** Whether the file has something at this place, be it right or wrong. */
  has(path: Path): boolean
}

type Limits = NonNullable<InventoryFile['limits']>

/** All files together. `mentioned` holds the ids of entries that were dropped for their problems, too: references to them are no further mistake. */
export interface Merged {
  readonly defaults: Entry<RawShared> | undefined
  readonly limits: Entry<Limits> | undefined
  readonly groups: ReadonlyMap<Id, Entry<RawShared>>
  readonly jumps: ReadonlyMap<Id, Entry<RawJump>>
  readonly devices: ReadonlyMap<Id, Entry<RawDevice>>
  readonly customers: ReadonlyMap<Id, Entry<RawCustomer>>
  readonly protected: readonly Entry<NonNullable<InventoryFile['protected']>[number]>[]
  readonly addresses: readonly Entry<NonNullable<InventoryFile['discardNextHops']>[number]>[]
  readonly discards: readonly Entry<NonNullable<InventoryFile['discardNextHops']>[number]>[]
  readonly mentioned: Readonly<Record<'groups' | 'jumps' | 'devices', ReadonlySet<Id>>>
  readonly problems: readonly Problem[]
}

/** One file, checked for itself. */
export interface CheckedFile {
  /** That it stands in. */
  readonly folder: string
  readonly shaped: Shaped<InventoryFile>
  /** As YAML had it. */
  readonly raw: unknown
}

/** Joins the files. */
export function merge(files: readonly CheckedFile[]): Merged {
  const problems: Problem[] = [...badIds(files)]
  const united = <T>(section: 'groups' | 'jumps' | 'devices' | 'customers') => {
    const entries = files.flatMap((file) =>
      // The section decides the type of its values: the caller names both.
      Object.entries(file.shaped.value?.[section] ?? {}).map(([id, value]) =>
        entry(file, [section, id], value as T),
      ),
    )
    return unite(entries, problems)
  }
  const listed = <T>(path: Path, of: (file: InventoryFile) => readonly T[] | undefined) =>
    files.flatMap((file) =>
      (file.shaped.value === undefined ? [] : (of(file.shaped.value) ?? [])).map((value, index) =>
        entry(file, [...path, index], value),
      ),
    )
  const single = <T>(section: 'defaults' | 'limits') => {
    const found = files.flatMap((file) => {
      const value = file.shaped.value?.[section]
      return value === undefined ? [] : [entry(file, [section], value as T)]
    })
    return [...unite(found, problems).values()][0]
  }
  return {
    defaults: single<RawShared>('defaults'),
    limits: single<Limits>('limits'),
    groups: united<RawShared>('groups'),
    jumps: united<RawJump>('jumps'),
    devices: united<RawDevice>('devices'),
    customers: united<RawCustomer>('customers'),
    protected: listed(['protected'], (file) => file.protected),
    addresses: listed(['controller', 'addresses'], (file) => file.controller?.addresses),
    discards: listed(['discardNextHops'], (file) => file.discardNextHops),
    mentioned: {
      groups: mentioned(files, 'groups'),
      jumps: mentioned(files, 'jumps'),
      devices: mentioned(files, 'devices'),
    },
    problems,
  }
}

function entry<T>({ folder, shaped }: CheckedFile, path: Path, value: T): Entry<T> {
  return {
    id: String(path.at(-1)),
    value,
    folder,
    problem: (inner, fault, key) => shaped.problem([...path, ...inner], fault, key),
    has: (inner) => shaped.has([...path, ...inner]),
  }
}

function unite<T>(entries: readonly Entry<T>[], problems: Problem[]): ReadonlyMap<Id, Entry<T>> {
  const byId = new Map<Id, Entry<T>>()
  for (const each of entries) {
    const { id } = each
    const before = byId.get(id)
    if (before === undefined) {
      byId.set(id, each)
      continue
    }
    const first = before.problem([], { message: '', remedy: '' }, true)
    problems.push(
      each.problem(
        [],
        {
          message: `"${id}" is given twice: first in ${first.file}:${first.line}`,
          found: `${id} again`,
          expected: 'each name in one file only',
          remedy: 'remove one of the two, or rename it',
        },
        true,
      ),
    )
  }
  return byId
}

const named = ['groups', 'jumps', 'devices', 'customers'] as const

// Of the file as it stands, so that an entry with other problems is looked at too.
function badIds(files: readonly CheckedFile[]): readonly Problem[] {
  return files.flatMap((file) =>
    named.flatMap((section) =>
      keysOf(file.raw, section)
        .filter((id) => !idPattern.test(id))
        // What YAML itself could not take as a name is told already.
        .filter((id) => id !== '__proto__' && file.shaped.has([section, id]))
        .map((id) =>
          file.shaped.problem(
            [section, id],
            {
              message: `"${id}" is no id`,
              found: id,
              expected:
                'lower-case letters, digits, and . _ - (at most 63, a letter or digit first)',
              remedy: 'rename it, for example edge1.ams',
            },
            true,
          ),
        ),
    ),
  )
}

function mentioned(
  files: readonly CheckedFile[],
  section: 'groups' | 'jumps' | 'devices',
): ReadonlySet<Id> {
  return new Set(files.flatMap(({ raw }) => keysOf(raw, section)))
}

function keysOf(raw: unknown, section: string): readonly string[] {
  if (typeof raw !== 'object' || raw === null) return []
  const part: unknown = Object.entries(raw).find(([name]) => name === section)?.[1]
  return typeof part === 'object' && part !== null && !Array.isArray(part) ? Object.keys(part) : []
}
