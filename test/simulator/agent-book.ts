// A journal in memory, true to the port: what an agent wrote down, in order, and the claims that follow from it.

import type { Claim, Desired } from '../../agent/diff.ts'
import type { Intent, Key } from '../../agent/intents.ts'
import type {
  DoneStep,
  IntendedStep,
  Journal,
  KeyState,
  SessionEvent,
  VerifiedStep,
} from '../../agent/journal.ts'

/** Everything that was written down, in order. */
export type Entry =
  | { readonly kind: 'intend'; readonly step: number; readonly value: IntendedStep }
  | { readonly kind: 'done'; readonly value: DoneStep }
  | { readonly kind: 'verified'; readonly value: VerifiedStep }
  | { readonly kind: 'orphans'; readonly value: VerifiedStep['orphans'] }
  | { readonly kind: 'saved'; readonly ok: boolean; readonly message: string | undefined }
  | { readonly kind: 'rolledBack'; readonly why: string }
  | { readonly kind: 'failed'; readonly code: string; readonly keys: readonly Key[] }
  | { readonly kind: 'session'; readonly value: SessionEvent }

/** A journal whose wishes a test can change. */
export interface Book extends Journal {
  wanted: readonly Intent[]
  expected: readonly Intent[]
  fading: readonly Intent[]
  lifted: NonNullable<Desired['lifted']>
  held: boolean
  /** Who is waited for: nobody, until a test says so. */
  awaits: Journal['awaits']
  /** While set, nothing can be written: a full disk. */
  full: boolean
  readonly entries: readonly Entry[]
  readonly claims: readonly Claim[]
  /** The latest state of a key. */
  state(key: Key): KeyState | undefined
  /** Resolves at the next entry for which `test` holds, or at once if one is there since `from`. */
  until(test: (entry: Entry) => boolean, from?: number): Promise<Entry>
}

/** An empty book. */
export function createBook(): Book {
  const entries: Entry[] = []
  const claims = new Map<Key, Claim>()
  let waiting: { test: (entry: Entry) => boolean; resolve: (entry: Entry) => void }[] = []
  let step = 0
  let commit: Desired['commit']
  /** Ends of steps that are written with what comes next. */
  const ends: Entry[] = []
  const flush = async (): Promise<void> => {
    for (const entry of ends.splice(0)) {
      entries.push(entry)
      for (const one of waiting.filter(({ test }) => test(entry))) one.resolve(entry)
      waiting = waiting.filter(({ test }) => !test(entry))
    }
  }
  const add = (entry: Entry): Promise<void> => {
    ends.push(entry)
    return flush()
  }
  const book: Book = {
    wanted: [],
    expected: [],
    fading: [],
    lifted: [],
    held: false,
    full: false,
    entries,
    get claims() {
      return [...claims.values()]
    },
    desired(): Desired {
      const { wanted, expected, fading, lifted, held } = book
      const now = { wanted, expected, fading, lifted, claims: [...claims.values()], frozen: held }
      return commit === undefined ? now : { ...now, commit }
    },
    frozen: () => book.held,
    awaits: () => new Map(),
    elsewhere: () => false,
    serves: () => new Map(),
    async intend(value) {
      if (book.full) throw new Error('the disk is full')
      step += 1
      for (const claim of value.claims) claims.set(claim.key, { ...claim, step })
      const { token } = value
      if (token !== undefined) commit = { token, keys: value.claims.map(({ key }) => key) }
      await add({ kind: 'intend', step, value })
      return step
    },
    done: (value) => void ends.push({ kind: 'done', value }),
    flush,
    async verified(value) {
      for (const [key, claim] of value.claims) {
        if (claim === null) claims.delete(key)
        else claims.set(key, { ...claim, step })
      }
      await add({ kind: 'verified', value })
    },
    orphans: ({ orphans }) => add({ kind: 'orphans', value: orphans }),
    async saved(result) {
      if (result.ok) {
        for (const claim of claims.values()) {
          if (claim.phase === 'lifted') claims.delete(claim.key)
        }
      }
      const message = result.ok ? undefined : result.message
      await add({ kind: 'saved', ok: result.ok, message })
    },
    rolledBack: ({ why }) => add({ kind: 'rolledBack', why }),
    async failed({ code, keys }) {
      if (book.full) throw new Error('the disk is full')
      await add({ kind: 'failed', code, keys })
    },
    session: (value) => add({ kind: 'session', value }),
    state(key) {
      const verified = entries.filter((entry) => entry.kind === 'verified')
      return verified.flatMap(({ value }) => value.states.filter((s) => s.key === key)).at(-1)
    },
    until(test, from = 0) {
      const found = entries.slice(from).find(test)
      if (found !== undefined) return Promise.resolve(found)
      return new Promise((resolve) => waiting.push({ test, resolve }))
    },
  }
  return book
}
