// Prefixes as routers take them: forgiving where a person types, unlike the product's own parser.

import {
  type Address,
  comparePrefixes,
  covers,
  familyOf,
  hostPrefix,
  type Prefix,
  parseAddress,
  prefixFrom,
  toNumber,
} from '../../../inventory/prefix.ts'

/** `address/length` with host bits cleared, or undefined. `strict` refuses host bits instead. */
export function typedPrefix(text: string, family: 4 | 6): Prefix | undefined {
  const [base = '', lengthText, ...rest] = text.split('/')
  const address = typedAddress(base)
  if (address === undefined || familyOf(address) !== family || rest.length > 0) return undefined
  if (lengthText === undefined || !/^\d{1,3}$/.test(lengthText)) return undefined
  const length = Number(lengthText)
  return length > (family === 4 ? 32 : 128)
    ? undefined
    : prefixFrom(family, toNumber(address), length)
}

/** An address, or undefined. */
export function typedAddress(text: string): Address | undefined {
  const parsed = parseAddress(text)
  return parsed.ok ? parsed.value : undefined
}

/** Whether the text has bits set behind its length. */
export function hasHostBits(text: string, family: 4 | 6): boolean {
  const prefix = typedPrefix(text, family)
  const base = typedAddress(text.split('/')[0] ?? '')
  return prefix !== undefined && base !== undefined && prefix.split('/')[0] !== base
}

/** The longest of the prefixes that hold this address or prefix. */
export function longestMatch<T extends { readonly prefix: string }>(
  routes: readonly T[],
  target: string,
): T | undefined {
  const host = target.includes('/') ? (target as Prefix) : hostPrefix(target as Address)
  const fits = routes.filter((route) => covers(route.prefix as Prefix, host))
  return fits.sort((a, b) => lengthIn(b.prefix) - lengthIn(a.prefix))[0]
}

/** Orders prefixes as a routing table does. */
export function byPrefix(
  one: { readonly prefix: string },
  other: { readonly prefix: string },
): number {
  return comparePrefixes(one.prefix as Prefix, other.prefix as Prefix)
}

function lengthIn(prefix: string): number {
  return Number(prefix.slice(prefix.indexOf('/') + 1))
}
