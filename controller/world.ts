// What the controller knows of the world: inventory and playbooks as loaded, with the look-ups derived from them. Replaced as a whole by a reload.

import { networkInterfaces } from 'node:os'
import { holdingsOn } from '../inventory/holdings.ts'
import { loadInventory } from '../inventory/load.ts'
import { createLookup, type Lookup } from '../inventory/lookup.ts'
import type { Inventory } from '../inventory/model.ts'
import { type NeverCut, neverCut, neverCutIn } from '../inventory/never-cut.ts'
import type { KnownPlatforms } from '../inventory/ports.ts'
import { type Address, parseAddress } from '../inventory/prefix.ts'
import type { LoadResult } from '../inventory/problem.ts'
import { devicesWithRole } from '../inventory/roles.ts'
import { loadPlaybooks } from '../playbooks/load.ts'
import type { Playbook } from '../playbooks/model.ts'

/** Inventory, playbooks and what follows from them. */
export interface World {
  readonly inventory: Inventory
  readonly lookup: Lookup
  readonly neverCut: readonly NeverCut[]
  readonly playbooks: ReadonlyMap<string, Playbook>
}

/** Reads both from disk: a world, or every problem of both. */
export async function loadWorld(
  from: { readonly inventory: string; readonly playbooks: string | undefined },
  knownPlatforms: KnownPlatforms,
): Promise<LoadResult<World>> {
  const [inventory, playbooks] = await Promise.all([
    loadInventory(from.inventory, knownPlatforms),
    loadPlaybooks(from.playbooks),
  ])
  if (!inventory.ok || !playbooks.ok) {
    return {
      ok: false,
      problems: [
        ...(inventory.ok ? [] : inventory.problems),
        ...(playbooks.ok ? [] : playbooks.problems),
      ],
    }
  }
  const vital = neverCut(inventory.value, socketAddresses())
  sortAhead(inventory.value, vital)
  return {
    ok: true,
    value: {
      inventory: inventory.value,
      lookup: createLookup(inventory.value),
      neverCut: vital,
      playbooks: playbooks.value,
    },
    warnings: [...inventory.warnings, ...playbooks.warnings],
  }
}

// What is sorted when it is first asked for is asked for now: of a large inventory the first decision would wait for it.
function sortAhead(inventory: Inventory, vital: readonly NeverCut[]): void {
  holdingsOn(inventory, '')
  devicesWithRole(inventory.devices, '')
  for (const { prefix } of vital.slice(0, 1)) neverCutIn(vital, prefix)
}

/** The addresses of this host's own interfaces: the controller must never cut itself off. Link-local ones are left out, since no decision can name them. */
function socketAddresses(): readonly Address[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return all.flatMap(({ address }) => {
    const parsed = parseAddress(address)
    return parsed.ok && !parsed.value.startsWith('fe80:') ? [parsed.value] : []
  })
}
