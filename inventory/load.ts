// A file or folder of YAML → the inventory, or every problem with file, line and column. Reading is files.ts, the shape schema.ts, groups and defaults resolve.ts.

import { readSources, type Source } from './files.ts'
import { type CheckedFile, type Merged, merge } from './merge.ts'
import type { Inventory } from './model.ts'
import { checkOverlaps } from './overlaps.ts'
import type { KnownPlatforms } from './ports.ts'
import { compareProblems, type LoadResult, type Problem } from './problem.ts'
import { checkReferences } from './references.ts'
import { resolveCustomer, resolveDevices, resolveJumps, resolveLimits } from './resolve.ts'
import { AnyVersion, InventoryFile } from './schema.ts'
import { shape } from './shape.ts'
import { parseYaml } from './yaml.ts'

export { inventorySchemaJson } from './schema.ts'

/** Reads an inventory. `knownPlatforms` are those that devices may have: this folder knows none of them. Warnings say, among others, where carving will happen. */
export async function loadInventory(
  path: string,
  knownPlatforms: KnownPlatforms,
): Promise<LoadResult<Inventory>> {
  const { sources, problems } = await readSources(path, 'inventory')
  return parseInventory(sources, knownPlatforms, problems)
}

/** The same from texts, without I/O. `before`: problems of reading them. */
export function parseInventory(
  sources: readonly Source[],
  knownPlatforms: KnownPlatforms,
  before: readonly Problem[] = [],
): LoadResult<Inventory> {
  const problems: Problem[] = [...before]
  const warnings: Problem[] = []
  const files = sources.map((source): CheckedFile => {
    const tree = parseYaml(source.file, source.text)
    problems.push(...tree.problems)
    warnings.push(...tree.warnings)
    const shaped = shape<InventoryFile>(tree, InventoryFile, AnyVersion)
    // What YAML itself did not understand has its problem already.
    if (tree.value !== undefined || tree.problems.length === 0) problems.push(...shaped.problems)
    return { file: source.file, shaped, raw: tree.value }
  })
  const merged = merge(files)
  problems.push(...merged.problems)
  // Where a file could not be read at all, what others refer to may stand in it: nobody is told to correct a right name.
  const complete = before.length === 0 && files.every(({ raw }) => raw !== undefined)
  const inventory = assemble(merged, sources, complete ? problems : [])
  if (complete) problems.push(...checkReferences(merged, knownPlatforms))
  const space = checkOverlaps(merged, inventory)
  problems.push(...space.problems)
  warnings.push(...space.warnings)
  return problems.length > 0
    ? { ok: false, problems: problems.sort(compareProblems) }
    : { ok: true, value: inventory, warnings: warnings.sort(compareProblems) }
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
