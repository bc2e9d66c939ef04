// Where a filter has to stand to stop a customer: on an interface that leads to customers, in the direction of the traffic. On an uplink it stops only
// what takes that uplink, so it counts for nothing. Which interface leads to whom no device says; what is taken for granted is told.

import { type PortNaming, takesDown } from '../../inventory/ports.ts'
import { type Facts, type Stop, uplinksFact } from '../platform.ts'

/** A filter that drops what nullroute lists, and where it stands. */
export interface Binding {
  readonly filter: string
  /** In the direction that counts. */
  readonly interfaces: readonly string[]
}

/** The bindings that count, and those on uplinks only. */
export interface Bindings {
  readonly bound: readonly Binding[]
  readonly onUplinks: readonly Binding[]
}

/** Parts bindings by whether they lead to customers: an interface is an uplink, or a unit of one, by `devices.<id>.uplinks`. */
export function partBindings(all: readonly Binding[], facts: Facts, naming: PortNaming): Bindings {
  const uplinks = (facts[uplinksFact] ?? '').split(' ').filter((name) => name !== '')
  const isUplink = (name: string): boolean =>
    uplinks.some((uplink) => takesDown(uplink, name, naming))
  const parted = all.map(({ filter, interfaces }) => ({
    filter,
    interfaces: interfaces.filter((name) => !isUplink(name)),
    uplinks: interfaces.filter(isUplink),
  }))
  return {
    bound: parted.filter(({ interfaces }) => interfaces.length > 0),
    onUplinks: parted
      .filter(({ interfaces }) => interfaces.length === 0)
      .map((one) => ({ filter: one.filter, interfaces: one.uplinks })),
  }
}

/** What a filter that counts does, and what is taken for granted of it. */
export function assumedNote(verb: string, { bound }: Bindings): string {
  return `${verb} by ${bindingsText(bound)}; taken for granted: all of the customer comes by these interfaces`
}

/** Why nothing is sent where a filter stands on uplinks only; undefined where none does. */
export function uplinkStop({ onUplinks }: Bindings): Stop | undefined {
  if (onUplinks.length === 0) return undefined
  return {
    code: 'not_prepared',
    message: `${bindingsText(onUplinks)} drops what nullroute lists, but stands on uplinks only: what goes another way passes it by`,
    remedy:
      'let it stand on the interfaces that lead to customers, or correct `uplinks` of the device in the inventory',
  }
}

/** Both directions in words, for the preflight: `in by CUST-IN on Gi0/1, out on uplinks only (CUST-OUT on Gi0/0)`. One direction is enough to be prepared for it. */
export function foundBindings(bindingsFor: (direction: 'in' | 'out') => Bindings): {
  readonly ok: boolean
  readonly text: string
} {
  const found = (['in', 'out'] as const).map((direction) => {
    const { bound, onUplinks } = bindingsFor(direction)
    if (bound.length > 0) return { ok: true, text: `${direction} by ${bindingsText(bound)}` }
    const where =
      onUplinks.length === 0 ? 'by nothing' : `on uplinks only (${bindingsText(onUplinks)})`
    return { ok: false, text: `${direction} ${where}` }
  })
  return { ok: found.some(({ ok }) => ok), text: found.map(({ text }) => text).join(', ') }
}

/** `CUST-IN on Gi0/1, Gi0/2`. Of many interfaces the first ones. */
function bindingsText(bindings: readonly Binding[]): string {
  return bindings
    .map(({ filter, interfaces }) => {
      const more = interfaces.length > namedMax ? ` and ${interfaces.length - namedMax} more` : ''
      return `${filter} on ${interfaces.slice(0, namedMax).join(', ')}${more}`
    })
    .join('; ')
}

const namedMax = 3
