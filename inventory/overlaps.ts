// Whether the customers' space is theirs alone, outside what is protected, and where something in it is never cut (which a plan leaves out).

import { groupBy } from './group-by.ts'
import { createLookup } from './lookup.ts'
import type { Entry, Merged } from './merge.ts'
import type { Inventory } from './model.ts'
import { neverCut } from './never-cut.ts'
import { ascending, covers, familyOf, lengthOf, type Prefix } from './prefix.ts'
import type { Problem } from './problem.ts'
import type { RawCustomer } from './schema.ts'
import type { Fault } from './yaml.ts'

interface Owned {
  readonly entry: Entry<RawCustomer>
  /** In the customer's list. */
  readonly index: number
  readonly prefix: Prefix
  readonly vrf: string
}

/** Overlaps as problems; nested prefixes and carving as warnings. */
export function checkOverlaps(
  merged: Merged,
  inventory: Inventory,
): { readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] } {
  const owned = ownedBy(merged)
  const nested = checkNested(owned)
  const shielded = checkProtected(owned, inventory)
  return {
    problems: [...nested.problems, ...shielded.problems],
    warnings: [
      ...nested.warnings,
      ...shielded.warnings,
      ...carvings(owned, inventory),
      ...tooShort(owned, inventory),
    ],
  }
}

function ownedBy(merged: Merged): readonly Owned[] {
  const owned: Owned[] = []
  for (const entry of merged.customers.values()) {
    for (const [index, given] of (entry.value.prefixes ?? []).entries()) {
      const prefix = typeof given === 'string' ? given : given.prefix
      const vrf = (typeof given === 'string' ? undefined : given.vrf) ?? 'default'
      owned.push({ entry, index, prefix, vrf })
    }
  }
  return ascending(owned.map(({ prefix }) => prefix)).flatMap((index) => owned[index] ?? [])
}

function problemAt({ entry, index }: Pick<Owned, 'entry' | 'index'>, fault: Fault): Problem {
  return entry.problem(['prefixes', index], fault)
}

// In order of their first address, each prefix is inside the nearest one before it that has not ended yet, or in none.
// Other routing tables are no way out: abuse reports name addresses alone, and filters know no tables.
function checkNested(owned: readonly Owned[]): {
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
} {
  const problems: Problem[] = []
  const warnings: Problem[] = []
  const open: Owned[] = []
  for (const each of owned) {
    while (open.length > 0 && !holds(open.at(-1), each)) open.pop()
    const stranger = open.findLast(({ entry }) => entry.id !== each.entry.id)
    const outer = open.at(-1)
    if (stranger !== undefined) {
      const where = problemAt(stranger, { message: '', remedy: '' })
      problems.push(
        problemAt(each, {
          message: `${each.prefix} of ${each.entry.id} overlaps ${stranger.prefix} of ${stranger.entry.id} (${where.file}:${where.line})`,
          found: each.prefix,
          expected: 'space of one customer only',
          remedy: 'give the space to one of them, or split the larger prefix around the smaller',
        }),
      )
    } else if (outer !== undefined && outer.prefix !== each.prefix && outer.vrf === each.vrf) {
      warnings.push(
        problemAt(each, {
          message: `${each.prefix} lies inside ${outer.prefix} of the same customer`,
          found: each.prefix,
          expected: 'prefixes side by side',
          remedy: 'remove the smaller one, unless it is routed by itself',
        }),
      )
    }
    open.push(each)
  }
  return { problems, warnings }
}

function holds(outer: Owned | undefined, inner: Owned): boolean {
  return outer !== undefined && covers(outer.prefix, inner.prefix)
}

function checkProtected(
  owned: readonly Owned[],
  inventory: Inventory,
): { readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] } {
  const lookup = createLookup(inventory)
  const problems: Problem[] = []
  const warnings: Problem[] = []
  for (const each of owned) {
    const { prefix } = each
    for (const shield of lookup.protectedOverlapping(prefix)) {
      if (covers(shield.prefix, prefix)) {
        problems.push(
          problemAt(each, {
            message: `${prefix} of ${each.entry.id} lies inside protected space ${shield.prefix} (${shield.why})`,
            found: prefix,
            expected: 'space that may be cut off',
            remedy: 'correct the prefix, or protect less',
          }),
        )
      } else {
        warnings.push(carving(each, `${shield.prefix} (protected: ${shield.why})`))
      }
    }
  }
  return { problems, warnings }
}

function carvings(owned: readonly Owned[], inventory: Inventory): readonly Problem[] {
  // The customers' prefixes hold few of these addresses: the look-up finds whose, the list finds which.
  const lookup = createLookup(inventory)
  const byCustomer = groupBy(owned, (each) => each.entry.id)
  return neverCut(inventory, []).flatMap(({ address, prefix: host, why, ownNeighborOf }) => {
    const customer = lookup.customerAt(address)
    if (customer === undefined || customer.id === ownNeighborOf) return []
    return (byCustomer.get(customer.id) ?? [])
      .filter(({ prefix }) => covers(prefix, host))
      .map((each) =>
        each.prefix === host
          ? problemAt(each, {
              message: `${each.prefix} can never be cut off: it is the ${why}`,
              found: each.prefix,
              expected: 'an address that may be cut off',
              remedy:
                'nothing, if the address is right: measures on ports and neighbors still work',
            })
          : carving(each, `${address} (${why})`),
      )
  })
}

function carving(of: Owned, what: string): Problem {
  return problemAt(of, {
    message: `when ${of.prefix} is cut off, ${what} is left out of it`,
    found: of.prefix,
    expected: 'carving, where a prefix holds what must never be cut',
    remedy: 'nothing, if that is right',
  })
}

function tooShort(owned: readonly Owned[], inventory: Inventory): readonly Problem[] {
  const { ipv4, ipv6 } = inventory.limits.maxPrefix
  return owned.flatMap((each) => {
    const { prefix } = each
    const limit = familyOf(prefix) === 4 ? ipv4 : ipv6
    if (lengthOf(prefix) >= limit) return []
    return [
      problemAt(each, {
        message: `${prefix} is shorter than limits.maxPrefix allows: a decision about all of it is refused`,
        found: `/${lengthOf(prefix)}`,
        expected: `/${limit} or longer`,
        remedy: 'split it into prefixes of that length, or change the limit',
      }),
    ]
  })
}
