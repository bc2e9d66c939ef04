// One at a time: for work that reads what lies outside and then puts it in force, where the slower of two would bring back what is older.

/**
 * Runs go one after the other. Whoever asks while one waits joins it, for it begins later than they asked: so at most one is under way and one waits.
 * A run that fails is told to those who asked for it, and the next begins all the same.
 */
export function inTurn<Asker, Result>(
  run: (askers: readonly Asker[]) => Promise<Result>,
): (asker: Asker) => Promise<Result> {
  let underWay: Promise<unknown> = Promise.resolve()
  let waiting: { readonly askers: Asker[]; readonly result: Promise<Result> } | undefined
  return (asker) => {
    if (waiting !== undefined) {
      waiting.askers.push(asker)
      return waiting.result
    }
    const askers = [asker]
    const result = underWay.then(() => {
      waiting = undefined
      return run(askers)
    })
    waiting = { askers, result }
    underWay = result.catch(() => undefined)
    return result
  }
}
