// Where the controller's process can end itself: before, inside and after each durable step, and around each piece of talk with a device.
// Wrapped around the ports from outside; the product knows nothing of it.

import type { Journal } from '../../agent/journal.ts'
import type { OpenSession, Session } from '../../agent/session.ts'
import type { Around } from '../../controller/main.ts'
import type { Store, Transaction } from '../../controller/store/store.ts'
import type { Id } from '../../inventory/model.ts'

/** The n-th pass of a point, at which the process ends. `*`: of any point; `commit:after`: of any that begins so. */
export interface Cut {
  readonly point: string
  readonly pass: number
}

/** Counts what passes and calls `end`, which must not return, at the n-th pass of the point. */
export function counter(
  cut: Cut | undefined,
  end: (point: string) => void,
): (point: string) => void {
  let passed = 0
  return (point) => {
    if (cut === undefined || !isMeant(cut.point, point)) return
    passed += 1
    if (passed === cut.pass) end(point)
  }
}

function isMeant(sought: string, point: string): boolean {
  return sought === '*' || sought === point || point.startsWith(`${sought} `)
}

/** What stands around the ports: each calls `pass` with the name of the point that it goes through. */
export function fencedBy(pass: (point: string) => void): Around {
  /** Devices with a step that is written down and not at its end. */
  const changing = new Set<Id>()
  return {
    store: (store) => fencedStore(store, pass),
    journal: (journal, device) => fencedJournal(journal, { device, changing, pass }),
    openSession: (open) => fencedSessions(open, { changing, pass }),
  }
}

function fencedStore(store: Store, pass: (point: string) => void): Store {
  return {
    ...store,
    async commit(change) {
      let what = 'no record'
      const noting = (tx: Transaction): Transaction => ({
        ...tx,
        append(record) {
          if (what === 'no record') what = record.type
          return tx.append(record)
        },
      })
      pass('commit:before')
      const value = await store.commit((tx) => {
        const made = change(noting(tx))
        // Everything is written, nothing of it is durable.
        pass(`commit:inside ${what}`)
        return made
      })
      pass(`commit:after ${what}`)
      return value
    },
  }
}

interface Fence {
  readonly changing: Set<Id>
  readonly pass: (point: string) => void
}

function fencedJournal(journal: Journal, fence: Fence & { readonly device: Id }): Journal {
  const { changing, device, pass } = fence
  async function around<T>(name: string, call: () => Promise<T>): Promise<T> {
    pass(`${name}:before`)
    const value = await call()
    pass(`${name}:after`)
    return value
  }
  return {
    desired: () => journal.desired(),
    frozen: () => journal.frozen(),
    awaits: (keys) => journal.awaits(keys),
    elsewhere: (key) => journal.elsewhere(key),
    serves: (changes) => journal.serves(changes),
    async intend(step) {
      pass(`intend:before ${step.purpose}`)
      const number = await journal.intend(step)
      changing.add(device)
      pass(`intend:after ${step.purpose}`)
      return number
    },
    done(step) {
      changing.delete(device)
      pass(`done:before ${step.purpose}`)
      journal.done(step)
      pass(`done:after ${step.purpose}`)
    },
    flush: () => around('flush', () => journal.flush()),
    verified: (step) => around('verified', () => journal.verified(step)),
    orphans: (found) => around('orphans', () => journal.orphans(found)),
    saved: (result) => around('saved', () => journal.saved(result)),
    rolledBack: (event) => around('rolledBack', () => journal.rolledBack(event)),
    failed: (event) => around('failed', () => journal.failed(event)),
    session: (event) => around('session', () => journal.session(event)),
  }
}

function fencedSessions(open: OpenSession, { changing, pass }: Fence): OpenSession {
  return async (options) => {
    pass('open:before')
    const session = await open(options)
    pass('open:after')
    const run: Session['run'] = async (lines, signal) => {
      const what = changing.has(options.device.id) ? 'change' : 'read'
      pass(`send:before ${what}`)
      // A run writes its first window before it answers its promise: the bytes are with the kernel.
      const answering = session.run(lines, signal)
      pass(`send:out ${what}`)
      const answers = await answering
      pass(`send:answered ${what}`)
      return answers
    }
    // By its prototype, since its context is read anew each time.
    return Object.assign(Object.create(session) as Session, { run })
  }
}
