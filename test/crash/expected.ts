// What must be there: the union of decisions, made by hand from the city's own lists. Pure.

import { lies, type Placed } from './city.ts'

/** Device → object → what is said of it. */
export type Objects = ReadonlyMap<string, ReadonlyMap<string, string>>

/** The union of what decisions want (the oldest first: of one object the oldest decides what is said), over what the operator has there himself. */
export function union(wanted: readonly (readonly Placed[])[], own: Objects): Objects {
  const all = new Map([...own].map(([device, objects]) => [device, new Map(objects)]))
  for (const { device, name, detail } of standing(wanted.flat())) {
    const objects = all.get(device) ?? new Map<string, string>()
    all.set(device, objects)
    if (!objects.has(name)) objects.set(name, detail)
  }
  return all
}

/** Filters hold the widest entries only: one that lies inside another on the same device is not there by itself. */
function standing(wanted: readonly Placed[]): readonly Placed[] {
  const entries = wanted.flatMap(({ device, filter }) =>
    filter === undefined ? [] : [{ device, ...filter }],
  )
  return wanted.filter(
    ({ device, filter }) =>
      filter === undefined ||
      !entries.some(
        ({ way, prefix, ...other }) =>
          other.device === device &&
          way === filter.way &&
          prefix !== filter.prefix &&
          lies(filter.prefix, prefix),
      ),
  )
}

/** Whether what is shown holds this object, by itself or by a wider entry. */
export function isShown(placed: Placed, shown: ReadonlySet<string>): boolean {
  if (shown.has(placed.name)) return true
  const { filter } = placed
  if (filter === undefined) return false
  return [...shown].some((name) => {
    const [way, prefix = ''] = name.split(' ')
    return way === filter.way && lies(filter.prefix, prefix)
  })
}

/** How what is there differs from what should be. */
export function differences(
  expected: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): readonly string[] {
  const missing = [...expected]
    .filter(([name]) => !found.has(name))
    .map(([name]) => `${name} is missing`)
  const extra = [...found]
    .filter(([name]) => !expected.has(name))
    .map(
      ([name, detail]) =>
        `${name} is there and should not be${detail === '' ? '' : ` (${detail})`}`,
    )
  const other = [...expected].flatMap(([name, detail]) => {
    const there = found.get(name)
    return there === undefined || there === detail
      ? []
      : [`${name} says "${there}" and should say "${detail}"`]
  })
  return [...missing, ...extra, ...other]
}
