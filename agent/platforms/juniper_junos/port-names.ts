// Names of ports on Junos.

import { withoutLeadingZeros } from '../port-numbers.ts'

/** Junos has one spelling, in small letters and with plain numbers: another is a slip of whoever wrote the inventory, and means that port. */
export function canonicalPort(name: string): string {
  return withoutLeadingZeros(name.toLowerCase())
}
