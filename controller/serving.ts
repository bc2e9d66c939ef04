// Whom the steps of a device serve that are under way: their records must find the same chains again, whatever is released meanwhile.

/** Enforcements that a record is written for; `undefined` = for the device alone. */
export type Whom = readonly (string | undefined)[]

/** Steps that are remembered at most. A step is over long before so many have followed it: those that broke off without an end of their own go first. */
const stepsMax = 256

/** By the number of a step. */
export interface Serving {
  of(step: number): Whom | undefined
  /** All whom steps up to this one serve that are not over: a read-back speaks for each of them. */
  upTo(step: number): Whom
  /** The newest step up to this one that serves this one; where none does, the step itself. */
  newest(whom: Whom[number], step: number): number
  began(step: number, whom: Whom): void
  /** That step is over, and with it all before it. */
  ended(step: number): void
}

/** Knows of no step yet. */
export function createServing(): Serving {
  const known = new Map<number, Whom>()
  return {
    of: (step) => known.get(step),
    upTo: (step) => [...new Set([...known].flatMap(([one, whom]) => (one <= step ? whom : [])))],
    newest: (one, step) =>
      [...known].findLast(([number, whom]) => number <= step && whom.includes(one))?.[0] ?? step,
    began(step, whom) {
      known.set(step, whom)
      for (const oldest of known.keys()) {
        if (known.size <= stepsMax) break
        known.delete(oldest)
      }
    },
    ended(step) {
      for (const one of known.keys()) if (one <= step) known.delete(one)
    },
  }
}
