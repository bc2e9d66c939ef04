// Plays one spot of the table: a suspension and a release, each with the fault at its step, through a whole controller, over real SSH.
// What is seen is what a user sees (status, code, remedy) and what the device shows; never what the controller believes.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Config } from '../../controller/config.ts'
import type { RunningDevice } from '../simulator/simulator.ts'
import { type Problem, type Story, startStory, suspend } from '../simulator/stories/story.ts'
import { type Baseline, type Known, patienceMs } from './baseline.ts'
import { fillDisk, lockDatabase, mountDisk, startChild } from './machine.ts'
import type { Direction, Moment, Step } from './places.ts'
import { type Act, type Once, otherChange, otherChangeUndone, type Spot } from './table.ts'
import { compareStates, differenceOf, type Shows } from './texts.ts'
import { deviceName, type FaultWorld } from './worlds.ts'

/** What is seen of a cell while its fault holds. */
export interface Seen {
  /** Status of the enforcement. */
  readonly status: string
  /** Status of the device in it. */
  readonly device: string
  /** Code of the device's error, or of the refusal of a request; '' where there is none. */
  readonly code: string
  /** What the user is told to do about it. */
  readonly remedy: string
  readonly shows: Shows
  /** What followed by itself, where that is the point of the cell. */
  readonly later?: string
}

/** What came of one cell. */
export interface CellResult {
  /** `reset/frr/line-2/suspend` */
  readonly id: string
  readonly direction: Direction
  readonly seen: Seen
  /** What must never be, in words; empty = a good cell. */
  readonly forbidden: readonly string[]
}

/** Looks without any progress after which the clock is set forward: each lets everything that waits go on. */
const idleLooks = 120
/** Looks after which a cell is given up. */
const looksMax = 3_000
/** Beyond every deadline of a line, a save among them, in ms. */
const deadlineMs = 101_000
/** Beyond every pause between two tries, in ms. */
const backoffMs = 31_000
/** Beyond the pause between two checks, in ms. */
const checkMs = 301_000
const hourMs = 3_600_000

interface Play {
  readonly spot: Spot
  readonly story: Story
  readonly device: RunningDevice
  readonly baseline: Baseline
  id: string
  /** Whether somebody else's change is on the device. */
  changed: boolean
  /** Grows with each commit of the controller. */
  commits: number
  /** Saves that had failed before this cell. */
  savesFailed: number
  readonly token: string
  /** What the controller had noticed when it answered. */
  marks: Marks
  /** Takes back what happened to the machine. */
  undo: () => void
  /** Called after each commit, before anybody goes on. */
  look: () => void
}

/** Plays the spot; answers a result for each direction in which it exists. */
export async function playSpot(
  spot: Spot,
  world: FaultWorld,
  baseline: Baseline,
): Promise<readonly CellResult[]> {
  if (spot.fault.id !== 'disk-full') return playIn({ spot, world, baseline }, {})
  const disk = await mkdtemp(join(tmpdir(), 'nullroute-disk-'))
  const unmount = await mountDisk(disk)
  try {
    return await playIn({ spot, world, baseline }, { data: join(disk, 'data') })
  } finally {
    unmount()
    await rm(disk, { recursive: true })
  }
}

interface Cell {
  readonly spot: Spot
  readonly world: FaultWorld
  readonly baseline: Baseline
}

async function playIn(cell: Cell, config: Partial<Config>): Promise<readonly CellResult[]> {
  const { spot, world, baseline } = cell
  const story = await startStory({
    devices: [world.device],
    customers: world.customers,
    playbooks: { suspend: world.playbook },
    patienceMs,
    // A commit that waits stops everything: what matters here is what comes when it has waited long enough.
    config: { busyTimeoutMs: 20, ...config },
  })
  const play: Play = {
    spot,
    story,
    device: story.device(deviceName),
    baseline,
    id: '',
    changed: false,
    commits: 0,
    savesFailed: 0,
    marks: { drift: 0, sent: 0, orphans: 0 },
    token: await story.token('cell', ['admin', 'abuse']),
    undo: () => undefined,
    look: () => undefined,
  }
  watchCommits(play)
  const results: CellResult[] = []
  try {
    const forbidden: string[] = []
    for (const direction of ['suspend', 'release'] as const) {
      const { result, problems } = await playDirection(play, direction)
      if (result !== undefined) results.push(result)
      forbidden.push(...problems)
    }
    return blamed(results, [...forbidden, ...lackOfIdentity(play)])
  } finally {
    play.undo()
    await story.end()
  }
}

/** After each commit the rows are looked at before the controller goes on: what is seen does not depend on how fast anything is. */
function watchCommits(play: Play): void {
  const { store } = play.story.running.controller
  const commit = store.commit.bind(store)
  store.commit = async (change) => {
    const value = await commit(change)
    play.commits += 1
    play.look()
    return value
  }
}

/** One direction, with what is wrong with it where it is no cell of its own: it follows one. */
async function playDirection(
  play: Play,
  direction: Direction,
): Promise<{ readonly result?: CellResult; readonly problems: readonly string[] }> {
  const { spot } = play
  const strikes = strikesIn(spot, direction)
  const forbidden: string[] = []
  let seen: Seen | undefined
  if (strikes) seen = await hold(play, direction, forbidden)
  else play.id = await ask(play, direction)
  if (seen !== undefined) await demandNoTry(play, direction, { seen, forbidden })
  play.device.faults.clear()
  play.undo()
  // A session that has just gone is noticed before the next thing is asked, as it would be by anybody's hand.
  if (strikes && spot.place.step === 'close') await lookUntilIdle(play, () => false)
  if (seen !== undefined) await healByItself(play, direction, { seen, forbidden })
  await heal(play, direction, forbidden)
  if (seen === undefined) return { problems: forbidden }
  if (spot.fault.id === 'lie' && spot.place.step === 'save') {
    seen = { ...seen, later: await reloadAfterLie(play, direction, forbidden) }
  }
  return { result: { id: `${spot.id}/${direction}`, direction, seen, forbidden }, problems: [] }
}

/** Whether the fault has a moment in this direction. */
export function strikesIn({ place }: Spot, direction: Direction): boolean {
  return place[direction] !== undefined || place.step === 'connect' || place.step === 'close'
}

async function ask(play: Play, direction: Direction): Promise<string> {
  const { story } = play
  if (direction === 'suspend') return (await story.decide(decisionFor(play, direction))).id
  await story.release(play.id)
  return play.id
}

/** What is asked. The suspension ends by itself before a clock that is set an hour forward. */
function decisionFor({ story, spot }: Play, direction: Direction): object {
  if (direction === 'release') return { reason: 'resolved' }
  if (!spot.fault.id.startsWith('clock')) return suspend('esthost')
  const expiresAt = new Date(story.clock.now().getTime() + hourMs / 2).toISOString()
  return suspend('esthost', { expiresAt })
}

function seenNow(play: Play): Seen {
  const { status, device, error } = rowsOf(play)
  const { code, remedy } = error ?? { code: '', remedy: '' }
  return { status, device, code, remedy, shows: showsNow(play) }
}

/** Asks with the fault on, until the controller has an answer; what is seen at that very moment. */
async function hold(play: Play, direction: Direction, forbidden: string[]): Promise<Seen> {
  const { spot } = play
  const act = spot.fault.act(spot.platform, spot.place, momentOf(play, direction))
  if (act.kind === 'killed') return holdKilled(play, direction, forbidden)
  if (act.kind === 'once' && (act.what === 'disk full' || act.what === 'database locked')) {
    return holdUnwritable(play, direction, { what: act.what, forbidden })
  }
  return holdTold(play, direction, { act, forbidden })
}

function momentOf({ spot }: Play, direction: Direction): Moment {
  return spot.place[direction] ?? { matching: '^$' }
}

/** The controller goes on and says how it ended. */
async function holdTold(
  play: Play,
  direction: Direction,
  { act, forbidden }: { readonly act: Act; readonly forbidden: string[] },
): Promise<Seen> {
  const { device, spot, story } = play
  const late = spot.place.step === 'close'
  play.savesFailed = savesFailedOf(play)
  let acted = standsStill(spot)
  const put = (): void =>
    arm(play, { act, moment: momentOf(play, direction) }, () => {
      acted = true
    })
  const from = device.faults.acted
  let seen: Seen | undefined
  play.look = () => {
    if (seen !== undefined) return
    seen = answer(play, direction)
    if (seen !== undefined) play.marks = marksOf(play)
  }
  if (!late) put()
  play.id = await ask(play, direction)
  const stalls = spot.fault.stalls === true && !late
  await lookUntil(play, () => seen !== undefined, { stalls, from })
  play.look = () => undefined
  if (late) {
    await story.quiet()
    put()
  }
  if (seen === undefined) {
    forbidden.push(`no answer: ${JSON.stringify(rowsOf(play))}`)
    return seenNow(play)
  }
  if (!acted && device.faults.acted === from) {
    forbidden.push('the fault never acted: the table is wrong')
  }
  return judge(play, direction, { seen, forbidden })
}

/** The controller can write nothing down from the moment on: what it says then, and that it sends nothing more. */
async function holdUnwritable(
  play: Play,
  direction: Direction,
  { what, forbidden }: { readonly what: Once; readonly forbidden: string[] },
): Promise<Seen> {
  const { device, spot, story } = play
  const store = () => story.running.controller.store
  if (spot.place.step === 'connect') {
    // What was under way for the request before is no answer to this one.
    await lookUntilIdle(play, () => false)
    happen(play, what)
    const path =
      direction === 'suspend' ? '/v1/enforcements' : `/v1/enforcements/${play.id}/release`
    const before = device.journal.entries.length
    const problem = await refusalOf(play, path, decisionFor(play, direction))
    if (device.journal.entries.length > before) forbidden.push('lines were sent all the same')
    play.undo()
    await lookUntil(play, () => store().healthy(), noStall)
    play.id = await ask(play, direction)
    return { ...seenNow(play), status: 'refused', ...checked(problem, forbidden) }
  }
  let acted = false
  onMoment(device, momentOf(play, direction), () => {
    acted = true
    happen(play, what)
  })
  play.id = await ask(play, direction)
  await lookUntil(play, () => acted && !store().healthy(), noStall)
  await lookUntilIdle(play, () => false)
  const problem = await refusalOf(play, `/v1/enforcements/${play.id}/retry`, {})
  const seen = { ...seenNow(play), ...checked(problem, forbidden) }
  const judged = await judge(play, direction, { seen, forbidden })
  play.undo()
  return judged
}

const noStall = { stalls: false, from: 0 }

function checked(problem: Problem, forbidden: string[]): Pick<Seen, 'code' | 'remedy'> {
  if (problem.code === '' || problem.detail === '') {
    forbidden.push(`no clear refusal: ${JSON.stringify(problem)}`)
  }
  return { code: problem.code, remedy: problem.detail }
}

/** What a request that can't be carried out is answered with. */
async function refusalOf(play: Play, path: string, body: object): Promise<Problem> {
  const headers = {
    authorization: `Bearer ${play.token}`,
    'content-type': 'application/json',
  }
  const sent = { method: 'POST', headers, body: JSON.stringify(body) }
  const response = await fetch(`${play.story.running.url}${path}`, sent)
  const { code = '', detail = '' } = (await response.json()) as Partial<Problem>
  // The folder is another in each run.
  const told = detail.replaceAll(play.story.config.data, 'data')
  return response.status >= 500 ? { code, detail: told } : { code: '', detail: told }
}

/** The controller is a child that is killed at the moment; the next one says how things stand. */
async function holdKilled(play: Play, direction: Direction, forbidden: string[]): Promise<Seen> {
  const { device, story } = play
  await story.stopController()
  const child = await startChild(story)
  const reached = new Promise<void>((resolve) => {
    onMoment(device, momentOf(play, direction), resolve)
  })
  device.faults.add({ kind: 'hang', ...momentOf(play, direction) })
  const path = direction === 'suspend' ? '/v1/enforcements' : `/v1/enforcements/${play.id}/release`
  const { id } = await child.ask(path, decisionFor(play, direction))
  play.id = id
  await reached
  await child.kill()
  device.faults.clear()
  await story.startController()
  let seen: Seen | undefined
  play.look = () => {
    if (seen !== undefined) return
    seen = answer(play, direction)
    if (seen !== undefined) play.marks = marksOf(play)
  }
  watchCommits(play)
  play.look()
  await lookUntil(play, () => seen !== undefined, noStall)
  play.look = () => undefined
  if (seen === undefined) {
    forbidden.push(`no answer: ${JSON.stringify(rowsOf(play))}`)
    return seenNow(play)
  }
  return judge(play, direction, { seen, forbidden })
}

/** Faults that are a state of the device, and act on no line. */
function standsStill({ fault }: Spot): boolean {
  return ['locked', 'save-refused', 'host-key', 'look-alike'].includes(fault.id)
}

/** Puts the fault on. */
function arm(
  play: Play,
  { act, moment }: { readonly act: Act; readonly moment: Moment },
  acted: () => void,
): void {
  if (act.kind === 'device') for (const fault of act.faults) play.device.faults.add(fault)
  if (act.kind === 'once') {
    onMoment(play.device, moment, () => {
      acted()
      happen(play, act.what)
    })
  }
}

/** Calls back once, when the device has read the line and not done it yet. */
function onMoment(device: RunningDevice, moment: Moment, then: () => void): void {
  let begun = moment.after === undefined
  const end = device.journal.listen(({ kind, text }) => {
    const line = kind === 'open' ? '<login>' : text
    if (kind === 'close') return
    if (!begun) {
      begun = new RegExp(moment.after ?? '').test(line)
    } else if (new RegExp(moment.matching).test(line)) {
      end()
      then()
    }
  })
}

function happen(play: Play, what: Once): void {
  const { story, device, spot } = play
  const undoable = (undo: () => void): void => {
    play.undo = () => {
      play.undo = () => undefined
      undo()
    }
  }
  switch (what) {
    case 'other change':
      device.setByHand((play.changed ? otherChangeUndone : otherChange)[spot.platform])
      play.changed = !play.changed
      return
    case 'clock forward':
      story.clock.jumpWall(hourMs)
      return undoable(() => story.clock.jumpWall(-hourMs))
    case 'clock back':
      story.clock.jumpWall(-hourMs)
      return undoable(() => story.clock.jumpWall(hourMs))
    case 'window ends':
      device.expireTimer()
      return
    case 'disk full':
      return undoable(fillDisk(dirname(story.config.data)))
    case 'database locked':
      return undoable(lockDatabase(story.config.data))
  }
}

interface Rows {
  readonly status: string
  readonly device: string
  readonly error: { readonly code: string; readonly remedy: string } | undefined
  readonly unsaved: boolean
}

function rowsOf({ story, id }: Play): Rows {
  return story.running.controller.store.read((rows) => {
    const [result] = rows.results({ enforcement: id })
    const state = rows.device(deviceName)
    return {
      status: rows.enforcement(id)?.status ?? 'none',
      device: result?.status ?? 'pending',
      error: result?.error,
      unsaved: state?.unsaved === true,
    }
  })
}

/** How many saves have failed so far. */
function savesFailedOf({ story }: Play): number {
  return story.running.controller.store.read(
    (rows) => rows.log({ type: 'device.save_failed', after: -1, limit: 1_000 }).length,
  )
}

const settled: Readonly<Record<Direction, readonly string[]>> = {
  suspend: ['enforced', 'degraded'],
  release: ['released'],
}

/** Steps of which something is said only when the save has ended. */
const savingSteps: ReadonlySet<Step> = new Set(['look before save', 'save'])

/** What the controller says, once it says anything of this step. */
function answer(play: Play, direction: Direction): Seen | undefined {
  // The answer may come before the one who asked knows its id.
  play.id ||= play.story.running.controller.store.read((rows) => rows.live()[0]?.id ?? '')
  const rows = rowsOf(play)
  const said = rows.error !== undefined || settled[direction].includes(rows.status)
  const saves = savingSteps.has(play.spot.place.step)
  if (!said) return undefined
  if (saves && rows.error === undefined && rows.unsaved) {
    if (savesFailedOf(play) === play.savesFailed) return undefined
  }
  const seen = seenNow(play)
  if (!saves || !rows.unsaved || seen.code !== '') return seen
  return { ...seen, code: 'unsaved', remedy: unsavedRemedy }
}

/** No error of a result, and so without a remedy in one: where its reason stands, and what to do. */
const unsavedRemedy =
  'read the device’s words: `nullroute audit search --action device.save_failed --device NAME`; mend what keeps it from saving (a full disk, a missing right, a dead daemon), or save by hand there; it is tried again by itself'

function known(play: Play): Known {
  return play.changed ? play.baseline.changed : play.baseline.plain
}

function showsNow(play: Play): Shows {
  return compareStates(play.device.running, known(play)).shows
}

/** Lets everything go on until it holds; where nothing moves any more, time passes. */
async function lookUntil(
  play: Play,
  holds: () => boolean,
  about: { readonly stalls: boolean; readonly from: number },
): Promise<boolean> {
  const { device, story } = play
  let moved = ''
  let idle = 0
  let { from } = about
  for (let looks = 0; looks < looksMax; looks += 1) {
    const now = `${device.journal.entries.length} ${play.commits} ${device.faults.acted}`
    idle = now === moved ? idle + 1 : 0
    moved = now
    // To ask costs more than to wait: only when something moved, and now and then.
    if (idle % 8 === 0 && holds()) return true
    const stuck = about.stalls && device.faults.acted > from
    if (idle >= (stuck ? 6 : idleLooks)) {
      story.clock.travel(deadlineMs)
      from = device.faults.acted
      idle = 0
    }
    await pause(5)
  }
  return holds()
}

/** What must never be, at the moment of the answer and once the controller had the time to notice. */
async function judge(
  play: Play,
  direction: Direction,
  { seen, forbidden }: { readonly seen: Seen; readonly forbidden: string[] },
): Promise<Seen> {
  const { error, status } = rowsOf(play)
  if (error !== undefined && (error.code === '' || error.remedy === '')) {
    forbidden.push(`an error without code or remedy: ${JSON.stringify(error)}`)
  }
  if (status === 'degraded' && error === undefined) forbidden.push('degraded without a reason')
  if (seen.shows === 'collateral') {
    const { collateral } = compareStates(play.device.running, known(play))
    forbidden.push(`collateral: ${collateral.join('; ')}`)
  }
  if (!closesItsWindow(play, direction)) {
    forbidden.push(`${status}, and the confirm window is still open`)
  }
  // What was true when it was read, and is no more: allowed only if the next look finds it, by itself.
  const untrue = seen.status === settled[direction][0] && seen.shows !== rightFor[direction]
  if (!untrue) {
    await demandTruth(play, direction, forbidden)
    return seen
  }
  return { ...seen, later: await foundByItself(play, direction, { from: play.marks, forbidden }) }
}

/** What a device must show once all is done. */
const rightFor = { suspend: 'in force', release: 'as before' } as const

/** The controller may be behind the device for a moment, and not for longer. */
async function demandTruth(play: Play, direction: Direction, forbidden: string[]): Promise<void> {
  const lie = direction === 'suspend' ? 'enforced but absent' : 'released but present'
  const truthful = await lookUntil(
    play,
    () => rowsOf(play).status !== settled[direction][0] || showsNow(play) === rightFor[direction],
    noStall,
  )
  if (truthful) return
  const diff = differenceOf(known(play).enforced, play.device.running)
  forbidden.push(`${lie}: ${diff.join('; ')}`)
}

/** Records by which one sees that the controller noticed: what it held is gone, what it lifted is back and was sent for again, or what nobody claims is reported. */
interface Marks {
  readonly drift: number
  readonly sent: number
  readonly orphans: number
}

function marksOf({ story }: Play): Marks {
  const count = (type: string): number => story.records({ type }).length
  return {
    drift: count('device.drift_found'),
    sent: story
      .records({ type: 'device.commands_intended' })
      .filter(({ data }) => data['purpose'] === 'change').length,
    orphans: count('device.orphan_found'),
  }
}

/** The device shows something else than was read of it. Nobody asks for anything: the controller must see it and put it right. */
async function foundByItself(
  play: Play,
  direction: Direction,
  { from, forbidden }: { readonly from: Marks; readonly forbidden: string[] },
): Promise<string> {
  const target = settled[direction][0]
  const noticed = (): boolean => {
    const now = marksOf(play)
    return direction === 'suspend' ? now.drift > from.drift : now.sent > from.sent
  }
  const isRight = (): boolean => {
    const { status, unsaved } = rowsOf(play)
    return status === target && !unsaved && showsNow(play) === rightFor[direction]
  }
  await lookUntil(play, () => noticed() && isRight() && isQuiet(play), noStall)
  if (noticed() && isRight()) {
    return direction === 'suspend' ? 'found gone, put back' : 'found there again, lifted again'
  }
  const lie = direction === 'suspend' ? 'enforced but absent' : 'released but present'
  forbidden.push(
    `${lie}, and not put right by itself: ${noticed() ? 'noticed' : 'not noticed'}, ${JSON.stringify(rowsOf(play))}`,
  )
  return 'not found'
}

/** The save was answered with success and did nothing. What that means shows when the device starts again. */
async function reloadAfterLie(
  play: Play,
  direction: Direction,
  forbidden: string[],
): Promise<string> {
  const { device } = play
  const from = marksOf(play)
  device.reboot()
  const opposite = direction === 'suspend' ? 'as before' : 'in force'
  if (showsNow(play) === rightFor[direction]) {
    forbidden.push(`the save was no lie: a reload shows ${showsNow(play)}, not ${opposite}`)
  }
  return direction === 'suspend'
    ? foundByItself(play, direction, { from, forbidden })
    : reported(play, { from, forbidden })
}

const kindsOfIntent = ['acl', 'blackhole', 'neighbor', 'port'] as const

/** What came back with a reload, and is claimed no more: it must be reported, all of it, and go when an admin says so. */
async function reported(
  play: Play,
  { from, forbidden }: { readonly from: Marks; readonly forbidden: string[] },
): Promise<string> {
  const { story } = play
  const seen = await lookUntil(
    play,
    () => marksOf(play).orphans > from.orphans && isQuiet(play),
    noStall,
  )
  if (!seen) {
    forbidden.push('released but present after a reload, and not reported')
    return 'not found'
  }
  // What has a mark is found before what has none: by the end of a check all of it is.
  const checks = () => story.records({ type: 'device.checked' }).length
  const checked = checks()
  await story.call('POST', `/v1/devices/${deviceName}/check`)
  await lookUntil(play, () => checks() > checked, noStall)
  const keys = story.running.controller.store.read((rows) =>
    (rows.device(deviceName)?.orphans ?? []).map(({ key }) => key),
  )
  const body = { remove: keys, reason: 'back after a reload' }
  const { status } = await story.call('POST', `/v1/devices/${deviceName}/reconcile`, body)
  const isGone = await lookUntil(
    play,
    () => showsNow(play) === 'as before' && !rowsOf(play).unsaved && isQuiet(play),
    noStall,
  )
  const kinds = kindsOfIntent
    .filter((kind) => keys.some((key) => key.startsWith(`${kind}|`)))
    .join(', ')
  if (!isGone) {
    const diff = differenceOf(known(play).before, play.device.running).join('; ')
    forbidden.push(`reported and not taken off (${status}): ${kinds}; left: ${diff}`)
  }
  return `after a reload back: ${kinds}; reported as orphans, taken off by \`device reconcile --remove\``
}

/** Where the controller says that it is done, nothing may still wait for its confirmation: the device would take it back. */
function closesItsWindow(play: Play, direction: Direction): boolean {
  if (rowsOf(play).status !== settled[direction][0]) return true
  return !play.device.expireTimer()
}

/** Whether everything is where it belongs, and stays there. */
function isHealed(play: Play, direction: Direction): boolean {
  const { status, unsaved } = rowsOf(play)
  const isRight = status === settled[direction][0] && showsNow(play) === rightFor[direction]
  return isRight && !unsaved && isQuiet(play)
}

/** What a remedy promises that nobody has to ask for: how often, and how long it may take each time. What is only read again may wait for the next check; a try comes before that, so that no check can stand for it. */
function promisedBy({ remedy }: Seen): readonly number[] {
  if (remedy.includes('with the next check')) return [checkMs]
  if (/tried again by itself/.test(remedy)) return triesByItself
  return /read (?:\S+ ){0,3}again by itself/.test(remedy) ? [...triesByItself, checkMs] : []
}

const triesByItself: readonly number[] = [backoffMs, backoffMs, backoffMs, deadlineMs]

/** The fault is gone, and the user was told whether he need ask: nobody asks, and time passes. */
async function healByItself(
  play: Play,
  direction: Direction,
  { seen, forbidden }: { readonly seen: Seen; readonly forbidden: string[] },
): Promise<void> {
  const { story } = play
  const promised = promisedBy(seen)
  const healed = (): boolean => isHealed(play, direction)
  for (const ms of promised) {
    if (healed()) return
    story.clock.travel(ms)
    await lookUntilIdle(play, healed)
  }
  if (promised.length === 0 || healed()) return
  forbidden.push(
    `told that ${seen.code} is tried again by itself, and it was not: ${JSON.stringify(rowsOf(play))}`,
  )
}

/** What trying again can only make worse: an account locks out. Every pause between two tries passes while the fault is still there: it meets nobody again, and nothing heals. */
async function demandNoTry(
  play: Play,
  direction: Direction,
  { seen, forbidden }: { readonly seen: Seen; readonly forbidden: string[] },
): Promise<void> {
  if (!seen.remedy.includes('tried again only with the next check')) return
  const { device, story } = play
  // What was asked for besides, as the first look at the device, has its answer first.
  await lookUntilIdle(play, () => false)
  if (isHealed(play, direction)) return
  const from = device.faults.acted
  for (let tries = 0; tries < 3; tries += 1) {
    story.clock.travel(backoffMs)
    await lookUntilIdle(play, () => false)
  }
  const again = device.faults.acted - from
  if (again === 0 && !isHealed(play, direction)) return
  forbidden.push(
    `told that ${seen.code} is left to the next check, and tried before: ${again} times refused again, ${JSON.stringify(rowsOf(play))}`,
  )
}

/** The fault is gone: trying again must bring all to where it belongs. */
async function heal(play: Play, direction: Direction, forbidden: string[]): Promise<void> {
  const { story } = play
  const target = settled[direction][0]
  const healed = (): boolean => isHealed(play, direction)
  for (let tries = 0; tries < 8 && !healed(); tries += 1) {
    await story.call('POST', `/v1/enforcements/${play.id}/retry`)
    if (rowsOf(play).status === target)
      await story.call('POST', `/v1/devices/${deviceName}/reconcile`)
    await lookUntilIdle(play, healed)
    if (!healed()) story.clock.travel(tries % 2 === 0 ? backoffMs : deadlineMs)
  }
  // What is in force by a commit that still waits for its confirmation is gone in a moment.
  if (healed() && play.device.expireTimer()) {
    forbidden.push(`${target}, but only until the confirm window runs out`)
  }
  if (healed()) {
    forbidden.push(...lackOfSaving(play, direction))
    return
  }
  const diff = differenceOf(
    known(play)[direction === 'suspend' ? 'enforced' : 'before'],
    play.device.running,
  )
  forbidden.push(`lost: not healed by retry: ${JSON.stringify(rowsOf(play))} ${diff.join('; ')}`)
}

async function lookUntilIdle(play: Play, holds: () => boolean): Promise<void> {
  let moved = ''
  let idle = 0
  while (idle < 40) {
    const now = `${play.device.journal.entries.length} ${play.commits}`
    idle = now === moved ? idle + 1 : 0
    moved = now
    if (idle % 8 === 0 && holds()) return
    await pause(5)
  }
}

function isQuiet({ story }: Play): boolean {
  return story.running.controller.store.read((rows) => rows.openSteps().length === 0)
}

/** Where nothing is said to be unsaved, a reload must bring back the same. A device that only says so is told apart by a reload of its own. */
function lackOfSaving(play: Play, direction: Direction): readonly string[] {
  const { spot, device } = play
  if (spot.fault.id === 'lie' && spot.place.step === 'save') return []
  const { saved, savedEnforced } = known(play)
  const lines = differenceOf(direction === 'suspend' ? savedEnforced : saved, device.startup)
  return lines.length === 0 ? [] : [`not saved, and not said to be: ${lines.join('; ')}`]
}

/** After the release running and saved configuration are what they were before, to the byte. */
function lackOfIdentity(play: Play): readonly string[] {
  const { before, saved } = known(play)
  const { running, startup } = play.device
  const texts = [
    { what: 'running', is: running, was: before },
    { what: 'saved', is: startup, was: saved },
  ]
  return texts
    .filter(({ is, was }) => is !== was)
    .map(({ what, is, was }) => {
      const lines = differenceOf(was, is).join('; ')
      return `no identity of the ${what} configuration after the release: ${lines || 'another order'}`
    })
}

/** What went wrong in the end is the last cell's. */
function blamed(
  results: readonly CellResult[],
  problems: readonly string[],
): readonly CellResult[] {
  const last = results.at(-1)
  return results.map((one) =>
    one === last ? { ...one, forbidden: [...one.forbidden, ...problems] } : one,
  )
}
