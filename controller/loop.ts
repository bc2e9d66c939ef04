// What is due by time: expiry, approvals that nobody gave, releases that take too long, a clock that jumped. One timer, set for whatever comes next.

import { carryOut } from './desk/change.ts'
import { type Desk, systemActor } from './desk/desk.ts'
import {
  acknowledgeClock,
  type ClockReading,
  type ClockWatch,
  type Due,
  dueAt,
  lookAtClock,
  nextDue,
  watchClock,
} from './schedule.ts'

/** The longest that the loop sleeps, in ms: a clock that jumped is noticed within it. */
const longestMs = 30_000

/** The shortest, in ms: what is due and can't be done now is not asked for without a pause. */
const shortestMs = 200

/** How many due things one turn carries out; the rest follows in the next, so that requests are answered in between. */
const perTurn = 100

/** The loop. It does nothing before its start, so that a controller that can't start leaves nothing running. */
export interface Loop {
  /** Looks at once, and from then on by itself. */
  start(): void
  /** Something with that end was accepted: looks again by then, or at once where no end is named. */
  poke(end?: string): void
  /** The jump of the clock that holds expiries, if one does. */
  held(): { readonly jumpMs: number; readonly since: string } | undefined
  /** A person says that the clock is right. */
  acknowledge(): void
  stop(): void
}

const system = { actor: systemActor, person: 'system', admin: true } as const

/** A loop and what it remembers between its turns. */
interface State {
  readonly desk: Desk
  watch: ClockWatch
  /** Releases that were said to be overdue already. */
  readonly overdue: Set<string>
}

/** Makes the loop of a desk. */
export function createLoop(desk: Desk): Loop {
  const state: State = { desk, watch: watchClock(readClock(desk)), overdue: new Set() }
  let cancel = () => {}
  let going = false
  let running = false
  /** When it looks next, in wall time. */
  let lookAtMs = 0

  function arm(): void {
    cancel()
    if (!going) return
    const next = desk.store.read((rows) => nextDue(rows.live()))
    const holds = next === undefined || state.watch.jump !== undefined
    const wait = holds ? longestMs : Date.parse(next) - desk.clock.now().getTime()
    const sleepMs = Math.min(longestMs, Math.max(shortestMs, wait))
    lookAtMs = desk.clock.now().getTime() + sleepMs
    cancel = desk.clock.after(sleepMs, () => void turn())
  }

  async function turn(): Promise<void> {
    if (running || !going) return
    running = true
    try {
      await takeTurn(state)
    } catch (fault) {
      desk.log.error({ err: fault }, 'what was due could not be carried out; it is tried again')
    } finally {
      running = false
      arm()
    }
  }

  return {
    start() {
      going = true
      void turn()
    },
    poke(end) {
      // Most ends lie far beyond the next look, and are found there.
      if (end === undefined || Date.parse(end) < lookAtMs) arm()
    },
    held: () => state.watch.jump,
    acknowledge() {
      state.watch = acknowledgeClock(readClock(desk))
      void turn()
    },
    stop() {
      going = false
      cancel()
    },
  }
}

async function takeTurn(state: State): Promise<void> {
  const { desk } = state
  // One reading for both questions: else the clock may jump between being believed and being used.
  const reading = readClock(desk)
  await lookAtTime(state, reading)
  const held = state.watch.jump !== undefined
  const at = new Date(reading.wallMs).toISOString()
  const due = desk.store.read((rows) => dueAt(rows.live(), at, held))
  const overdue = new Set(due.flatMap((one) => (one.kind === 'overdue' ? [one.enforcement] : [])))
  for (const id of state.overdue) if (!overdue.has(id)) state.overdue.delete(id)
  // What was said once is not due again, and must not stand before ends that have come.
  const fresh = due.filter((one) => one.kind !== 'overdue' || !state.overdue.has(one.enforcement))
  for (const one of fresh.slice(0, perTurn)) {
    await carry(state, one).catch((fault: unknown) =>
      desk.log.error({ err: fault, ...one }, 'could not be carried out; it is tried again'),
    )
  }
}

async function lookAtTime(state: State, reading: ClockReading): Promise<void> {
  const { desk } = state
  const before = state.watch.jump
  state.watch = lookAtClock(state.watch, reading)
  if (state.watch.jump === undefined || before !== undefined) return
  const { jumpMs, since } = state.watch.jump
  desk.log.error(
    { jumpMs },
    'the clock jumped forward: expiries are held until `nullroute status --ack-clock`, or until it is back',
  )
  await desk.store.commit((tx) => {
    const data = { jumpMs, since }
    tx.append({ type: 'clock.jumped', outcome: 'ok', actor: systemActor, on: {}, data })
  })
}

async function carry({ desk, overdue }: State, due: Due): Promise<void> {
  if (due.kind === 'overdue') {
    overdue.add(due.enforcement)
    desk.log.warn(
      { enforcement: due.enforcement },
      'a release has been under way for more than 5 minutes: `nullroute status` says which device it waits for',
    )
    return
  }
  const devices = await desk.store.commit((tx) => {
    const from = tx.enforcement(due.enforcement)
    if (from === undefined) return []
    const wanted = tx.wanted({ enforcement: from.id })
    const results = tx.results({ enforcement: from.id })
    const event =
      due.kind === 'expire'
        ? ({ kind: 'expired', by: system, wanted, results } as const)
        : ({ kind: 'approval_expired', by: system } as const)
    return carryOut(tx, desk, from, event).devices
  })
  for (const device of devices) desk.fleet.wake(device, 'change')
}

function readClock(desk: Desk): ClockReading {
  return { wallMs: desk.clock.now().getTime(), monotonicMs: desk.clock.monotonicMs() }
}
