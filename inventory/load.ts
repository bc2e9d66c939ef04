// A file or folder of YAML → the inventory, or every problem with file, line and column. Reading is files.ts, the shape schema.ts, groups and defaults resolve.ts.

import { dirname } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { readSources, type Source } from './files.ts'
import { type CheckedFile, type Merged, merge } from './merge.ts'
import type { Inventory } from './model.ts'
import { checkOverlaps } from './overlaps.ts'
import type { KnownPlatforms } from './ports.ts'
import { compareProblems, type LoadResult, type Problem } from './problem.ts'
import { checkReferences } from './references.ts'
import { resolveCustomer, resolveDevices, resolveJumps, resolveLimits } from './resolve.ts'
import { AnyVersion, InventoryFile } from './schema.ts'
import { isSettledCustomer, isSettledDevice } from './settled.ts'
import { shape } from './shape.ts'
import { parseYaml } from './yaml.ts'

export { inventorySchemaJson } from './schema.ts'

/** Reads an inventory. `knownPlatforms` are those that devices may have: this folder knows none of them. Warnings say, among others, where carving will happen. Of a large one it is done in steps, so that whoever else has work gets to it in between. */
export async function loadInventory(
  path: string,
  knownPlatforms: KnownPlatforms,
): Promise<LoadResult<Inventory>> {
  const { sources, problems } = await readSources(path, 'inventory')
  const work = steps(sources, knownPlatforms, problems)
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
    await setImmediate()
  }
}

/** The same from texts, without I/O. `before`: problems of reading them. */
export function parseInventory(
  sources: readonly Source[],
  knownPlatforms: KnownPlatforms,
  before: readonly Problem[] = [],
): LoadResult<Inventory> {
  const work = steps(sources, knownPlatforms, before)
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

function* steps(
  sources: readonly Source[],
  knownPlatforms: KnownPlatforms,
  before: readonly Problem[],
): Generator<undefined, LoadResult<Inventory>, undefined> {
  const problems: Problem[] = [...before]
  const warnings: Problem[] = []
  const files: CheckedFile[] = []
  for (const source of sources) {
    const tree = parseYaml(source.file, source.text)
    yield
    const shaped = shape<InventoryFile>(tree, rules)
    add(problems, tree.problems)
    add(warnings, tree.warnings)
    // What YAML itself did not understand has its problem already.
    if (tree.value !== undefined || tree.problems.length === 0) add(problems, shaped.problems)
    files.push({ folder: dirname(source.file), shaped, raw: tree.value })
    yield
  }
  const merged = merge(files)
  add(problems, merged.problems)
  yield
  // Where a file could not be read at all, what others refer to may stand in it: nobody is told to correct a right name.
  const complete = before.length === 0 && files.every(({ raw }) => raw !== undefined)
  const inventory = assemble(merged, sources, complete ? problems : [])
  yield
  if (complete) add(problems, checkReferences(merged, knownPlatforms))
  yield
  const space = checkOverlaps(merged, inventory)
  add(problems, space.problems)
  add(warnings, space.warnings)
  return problems.length > 0
    ? { ok: false, problems: problems.sort(compareProblems) }
    : { ok: true, value: inventory, warnings: warnings.sort(compareProblems) }
}

// One by one: there may be more than a call takes arguments.
function add(problems: Problem[], more: readonly Problem[]): void {
  for (const problem of more) problems.push(problem)
}

const rules = {
  schema: InventoryFile,
  lenient: AnyVersion,
  settled: { devices: isSettledDevice, customers: isSettledCustomer },
}

function assemble(merged: Merged, sources: readonly Source[], problems: Problem[]): Inventory {
  return {
    devices: resolveDevices(merged, problems),
    customers: new Map(
      [...merged.customers.values()].map((entry) => [entry.id, resolveCustomer(entry)]),
    ),
    jumps: resolveJumps(merged, problems),
    protected: merged.protected.map(({ value }) => value),
    limits: resolveLimits(merged),
    controllerAddresses: merged.addresses.map(({ value }) => value),
    discardNextHops: merged.discards.map(({ value }) => value),
    files: sources.map(({ name, sha256 }) => ({ name, sha256 })),
  }
}
