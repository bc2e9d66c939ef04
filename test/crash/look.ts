// A look at everything: a life of the controller in which nobody is killed, until all rests and can be held against what was decided.

import {
  brokenLog,
  endsOf,
  lostDecisions,
  notIdentical,
  unsavedOf,
  untrue,
  wrongChains,
  wrongDevices,
  wrongStates,
} from './checks.ts'
import type { Life } from './controller.ts'
import { liarsAt, lieAbout } from './lying.ts'
import { type Action, ending, saving } from './plan.ts'
import { count, lookMs, nobody, pause, type Run, start } from './run.ts'

/** Longest time that everything may take to come to rest, in ms. */
const restMsMax = 120_000
/** Numbers of the decisions by which devices are made to save, far behind those of the plan. */
const toBeSavedFrom = 1_000_000

/** Two lives in which nobody is killed, and between them devices that only said that they saved lose their power: faults are mended, everything comes to rest, and is looked at. With `release` all of these are released then, and it is looked once more. */
export async function look(run: Run, release: readonly number[] | undefined): Promise<void> {
  for (const { faults } of run.city.devices) faults.clear()
  const number = toBeSavedFrom + run.looks
  await inPeace(run, async (live) => {
    await settle(run, live)
    await untilNoneEnds(run, live)
    await believe(run, live, number)
  })
  const before = run.ledger.entries(run.read).at(-1)?.seq ?? run.read
  const dark = losePower(run)
  await inPeace(run, async (live) => {
    await settle(run, live)
    run.problems.push(...unfound(run, dark, before))
    for (const { device, lost } of unsavedOf(run)) {
      if (lost.length > 0) run.problems.push(`${device} lacks ${lost.join(', ')} in what it saved`)
    }
    await ask(run, live, [{ kind: 'release', of: number }])
    check(run)
    await replay(run, live)
    if (release === undefined || run.problems.length > 0) return
    await ask(
      run,
      live,
      release.map((of) => ({ kind: 'release', of })),
    )
    check(run)
    run.problems.push(...notIdentical(run))
  })
  run.looks += 1
  const { kills, desk: people, lines } = run
  run.options.say(
    `${kills} kills, ${people.sent.size} decisions, ${lines} changing lines: ${release === undefined ? 'looked' : 'released all and looked'}, ${run.problems.length === 0 ? 'all held' : 'NOT HELD'}`,
  )
}

/** A life and its address. */
interface Live {
  readonly life: Life
  readonly url: string
}

async function inPeace(run: Run, work: (live: Live) => Promise<void>): Promise<void> {
  if (run.problems.length > 0) return
  const life = start(run, undefined)
  const url = await life.listening
  if (url === undefined) {
    run.problems.push(`the controller did not start: ${(await life.ended).words}`)
    return
  }
  run.problems.push(...(await run.desk.work(url, nobody)))
  await work({ life, url })
  life.kill()
  await life.ended
}

async function ask(run: Run, live: Live, actions: readonly Action[]): Promise<void> {
  run.desk.add(actions)
  run.problems.push(...(await run.desk.work(live.url, nobody)))
  await settle(run, live)
}

/** All devices are made to change something and to save, while some lie about their change: how they stand must be said before they stop, and not by their words. Of the others one only says that it saves. Not one that did so already: what it would bring back that was lifted is nobody's any more, since its claim went with the save that was believed. */
async function believe(run: Run, live: Live, number: number): Promise<void> {
  const liar = saving[run.looks % saving.length] ?? ''
  const isFalse = unsavedOf(run).some(({ device }) => device === liar)
  const stopLying = isFalse
    ? undefined
    : run.city.device(liar).faults.add({ kind: 'lie', matching: ending })
  const subject = { kind: 'customer', customer: 'fay', playbook: 'suspend' } as const
  const decision = { kind: 'decide', number, subject, ticket: `ABUSE-${number}` } as const
  const liars = liarsAt(run.options.seed, run.looks, liar)
  run.problems.push(...(await lieAbout(run, live.url, { decision, liars })))
  if (run.problems.length === 0) await settle(run, live)
  stopLying?.()
}

/** Waits for what ends soon by itself. Where a device only says that it saves, nothing may be lifted meanwhile: its claim would go with the save that was believed, and what comes back by a loss of power would be nobody's. */
async function untilNoneEnds(run: Run, live: Live): Promise<void> {
  const now = Date.now()
  const soon = endsOf(run).filter((end) => end > now && end < now + restMsMax)
  if (soon.length === 0 || run.problems.length > 0) return
  await pause(Math.max(...soon) - now)
  await settle(run, live)
}

/** Answers the devices that lost something by it. */
function losePower(run: Run): readonly string[] {
  const dark: string[] = []
  for (const { device, lost, back } of unsavedOf(run)) {
    if (back.length > 0) run.problems.push(`${device} kept ${back.join(', ')} through a save`)
    else if (lost.length > 0) {
      count(run.points, '(no kill: the power went after a save that was not done)')
      run.city.reboot(device)
      dark.push(device)
    }
  }
  return dark
}

/** What was lost must have been written down as such, not only put back. */
function unfound(run: Run, dark: readonly string[], before: number): readonly string[] {
  const found = run.ledger
    .entries(before)
    .flatMap(({ type, device }) => (type === 'device.drift_found' ? [device] : []))
  return dark
    .filter((device) => !found.includes(device))
    .map((device) => `${device} lost what it had not saved, and nothing says that it was found`)
}

/** Decisions that were answered, once more with their keys. */
async function replay(run: Run, { url }: Live): Promise<void> {
  for (const one of run.sent.values()) {
    if (one.id !== undefined && !run.replayed.has(one.number)) {
      run.replayed.add(one.number)
      run.problems.push(...(await run.desk.replay(url, one)))
    }
  }
}

function check(run: Run): void {
  const fresh = run.ledger.entries(run.read)
  run.chronicle.add(fresh)
  run.chains.add(fresh)
  run.read = fresh.at(-1)?.seq ?? run.read
  run.problems.push(
    ...lostDecisions(run),
    ...wrongStates(run),
    ...wrongDevices(run),
    ...untrue(run),
    ...wrongChains(run),
    ...brokenLog(run),
  )
  run.lookedAt = Date.now()
}

/** Waits until every decision stands as it should, nothing is under way and every device shows what it should, all of which the controller has to do by itself; only what was refused is asked for again. A decision may stand before its devices do: an entry that a wider one has replaced goes one step later. */
async function settle(run: Run, { life, url }: Live): Promise<void> {
  const from = Date.now()
  let asked = from
  while (Date.now() - from < restMsMax && !life.over) {
    const rests = run.ledger.underWay().length + run.ledger.degraded().length === 0
    if (rests && wrongStates(run).length === 0 && wrongDevices(run).length === 0) {
      return await pause(lookMs * 2)
    }
    if (Date.now() - asked > 1_000) {
      asked = Date.now()
      await askAgain(run, url)
    }
    await pause(lookMs)
  }
  const open = [...run.ledger.underWay(), ...wrongStates(run), ...wrongDevices(run)]
  run.problems.push(`nothing came to rest within ${restMsMax} ms: ${open.join('; ')}`)
}

async function askAgain(run: Run, url: string): Promise<void> {
  for (const id of run.ledger.degraded()) {
    await run.desk.call(url, 'POST', `/v1/enforcements/${id}/retry`, {})
  }
}
