// Tables of the packet filter as the kernel has them, and what is said of what is not there.

import type { LinuxState } from './state.ts'

/** An element of a set. */
export interface NftElement {
  /** Of a range its first address. */
  readonly prefix: string
  /** Last address of a range that is no prefix. */
  readonly until?: string
  readonly comment?: string
}

/** A named set of prefixes. */
export interface NftSet {
  readonly name: string
  readonly type: 'ipv4_addr' | 'ipv6_addr'
  readonly handle: number
  readonly counter: boolean
  elements: NftElement[]
}

/** A chain with its rules as text. */
export interface NftChain {
  readonly name: string
  readonly handle: number
  /** `type filter hook prerouting priority -310`, or undefined for a plain chain. */
  readonly hook:
    | { readonly type: string; readonly hook: string; readonly priority: number }
    | undefined
  rules: { readonly handle: number; readonly text: string }[]
}

/** A table. */
export interface NftTable {
  readonly family: string
  readonly name: string
  readonly handle: number
  /** Out of its hooks. */
  dormant: boolean
  sets: NftSet[]
  chains: NftChain[]
}

/** What is wrong with a statement: the words at which nft points. */
export interface Wrong {
  readonly message: string
  readonly at: string
}

/** What nft says of anything that is not there. */
export const missing = 'No such file or directory'

/** What nft says of a word that it does not understand. */
export function syntax(at: string): Wrong {
  return { message: `syntax error, unexpected ${at === '' ? 'end of file' : at}`, at }
}

/** The table of this family and name. */
export function findTable(state: LinuxState, family = '', name = ''): NftTable | undefined {
  return state.kernel.tables.find((one) => one.family === family && one.name === name)
}
