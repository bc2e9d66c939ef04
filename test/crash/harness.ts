// Lives and deaths of a controller: starts it, lets people decide, kills it, starts it again; and from time to time lets everything come to rest and
// looks whether it is as it should be.

import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../agent/clock.ts'
import { type Config, loadConfig } from '../../controller/config.ts'
import { createToken } from '../../controller/desk/tokens.ts'
import { openStore } from '../../controller/store/sqlite.ts'
import { bundled } from '../bundle.ts'
import { writeInventory } from '../simulator/stories/write-inventory.ts'
import { chains } from './chains.ts'
import { baseOf } from './checks.ts'
import { chronicle } from './chronicle.ts'
import { cityOf, corePlaybook, customers, limits } from './city.ts'
import { confirmWatch } from './confirms.ts'
import { type Life, lives } from './controller.ts'
import { desk } from './desk.ts'
import { ledgerOf } from './ledger.ts'
import { lineWatch } from './lines.ts'
import { look } from './look.ts'
import { neverJudged } from './lying.ts'
import { type Kill, type LifePlan, planner, type Trouble } from './plan.ts'
import { count, enable, lookMs, password, pause, type Run, type RunOptions, start } from './run.ts'
import { startCity } from './watch.ts'

/** What came of it. */
export interface Report {
  readonly kills: number
  /** How often the process ended at each point. */
  readonly points: ReadonlyMap<string, number>
  readonly decisions: number
  readonly lines: number
  readonly looks: number
  /** Lies of devices that the controller was seen to judge. */
  readonly lies: number
  /** Where it was wrong first, and how. */
  readonly failure?: { readonly kill: number; readonly problems: readonly string[] }
}

/** A minute of the devices' own timers, in ms: a commit that nobody confirms goes back after five of them. */
const minuteMs = 4_000
/** A life in which nothing has moved for so long is killed where it stands, in ms: a device is away, or nothing is left to wait for. */
const stillMs = 1_000
/** The same where nothing is under way. */
const restMs = 150
/** Longest life whose point is never reached, in ms. */
const lifeMsMax = 20_000
/** A look after which everything is released and each device must be what it was in the beginning: one in so many. */
const releaseEvery = 4

/** Kills it so many times; ends at the first thing that is wrong. */
export async function runCrashes(options: RunOptions): Promise<Report> {
  const run = await begin(options)
  const plans = planner(options.seed)
  try {
    while (run.kills < options.kills && run.problems.length === 0) {
      await oneLife(run, plans.life(run.kills + 1))
      run.kills += 1
      const isLast = run.kills === options.kills
      if (run.problems.length === 0 && (isLast || run.kills % options.every === 0)) {
        const all = isLast || (run.kills / options.every) % releaseEvery === 0
        await look(run, all ? plans.unreleased() : undefined)
        if (all) plans.allReleased()
      }
    }
    return reportOf(run)
  } finally {
    await end(run)
  }
}

function reportOf(run: Run): Report {
  const { kills, points, lines, looks, lies, desk: people } = run
  const problems = run.problems.length > 0 ? run.problems : neverJudged(kills, lies)
  return {
    kills,
    points,
    lines,
    looks,
    lies,
    decisions: people.sent.size,
    ...(problems.length === 0 ? {} : { failure: { kill: kills, problems } }),
  }
}

async function begin(options: RunOptions): Promise<Run> {
  const program = await bundled(join(import.meta.dirname, 'child.ts'))
  const folder = await mkdtemp(join(tmpdir(), 'nullroute-crash-'))
  const devices = cityOf(options.seed)
  const city = await startCity(devices, { password, enable, minuteMs })
  // The operator's own route has to be at the edges before it is said what was there.
  await pause(100)
  await writeInventory(folder, city, { devices, customers, more: limits })
  const config = await configIn(folder)
  const ledger = ledgerOf(config.data)
  const people = desk(await tokenIn(config.data))
  const watching = lineWatch(ledger)
  const confirming = confirmWatch()
  const run: Run = {
    options,
    folder,
    config,
    city,
    ledger,
    desk: people,
    sent: people.sent,
    chronicle: chronicle(),
    chains: chains(),
    base: baseOf(city),
    data: config.data,
    program,
    lives: lives(program),
    problems: [],
    points: new Map(),
    onLine: () => undefined,
    lines: 0,
    moved: 0,
    kills: 0,
    looks: 0,
    lies: 0,
    lookedAt: 0,
    replayed: new Set(),
    read: -1,
    reborn: () => watching.reborn(),
  }
  const platformOf = new Map(city.devices.map(({ name, platform }) => [name, platform]))
  city.listen({
    received(line) {
      run.moved += 1
      const unread = confirming.received(line)
      if (unread !== undefined) run.problems.push(unread)
      const finding = watching.received(line, platformOf.get(line.device) ?? 'frr')
      if (finding === undefined) return undefined
      run.lines += 1
      if (finding.kind === 'problem') run.problems.push(finding.problem)
      run.onLine('before')
      return finding.kind === 'known' ? finding.purpose : undefined
    },
    done(line, changed, purpose) {
      if (changed && purpose === undefined) {
        run.problems.push(
          `${line.device}: \`${line.text}\` changed the configuration, and no step holds it`,
        )
      }
      if (purpose !== undefined) run.onLine('after')
    },
  })
  return run
}

async function configIn(folder: string): Promise<Config> {
  const playbooks = join(folder, 'playbooks')
  const library = join(import.meta.dirname, '../../playbooks/library')
  await mkdir(playbooks)
  for (const name of ['suspend', 'block', 'depeer']) {
    await copyFile(join(library, `${name}.yaml`), join(playbooks, `${name}.yaml`))
  }
  await writeFile(join(playbooks, 'core.yaml'), corePlaybook)
  const config = await loadConfig({
    inventory: join(folder, 'inventory.yaml'),
    playbooks,
    data: join(folder, 'data'),
    listen: '127.0.0.1:0',
  })
  return { ...config, observerDeadlineMs: 1_000, ownDeadlineMs: 500, requestsPerMinute: 1_000_000 }
}

async function tokenIn(data: string): Promise<string> {
  const store = openStore({ dir: data, as: 'command', clock: systemClock })
  const who = {
    actor: { kind: 'system', id: 'crash' },
    id: '01ARZ3NDEKTSV4RRFFQ69G5FZZ',
    at: new Date().toISOString(),
  } as const
  const roles = ['admin', 'abuse', 'engineer', 'auditor'] as const
  const { token } = await createToken(store, who, { name: 'crash', roles })
  store.close()
  return token
}

/** Starts, works, dies. */
async function oneLife(run: Run, plan: LifePlan): Promise<void> {
  if (plan.mended) for (const { faults } of run.city.devices) faults.clear()
  for (const one of plan.troubles) if (one.kind === 'expire') run.city.expire(one.device)
  const { kill } = plan
  const life = start(run, kill.at === 'point' ? { point: kill.point, pass: kill.pass } : undefined)
  run.desk.add(plan.actions)
  const limit = setTimeout(() => killed(life, 'too long'), lifeMsMax)
  const undo = arm(run, life, kill)
  try {
    const url = await life.listening
    if (url !== undefined) {
      for (const one of plan.troubles) befall(run, one)
      if (kill.at === 'time') undo.push(later(kill.ms, () => killed(life, 'time')))
      run.problems.push(...(await run.desk.work(url, requests(life, kill))))
      await untilRest(run, life, kill)
    }
    await over(run, life)
  } finally {
    clearTimeout(limit)
    for (const one of undo) one()
  }
}

/** Why a life was ended from outside, where it was. */
const causes = new WeakMap<Life, string>()

function killed(life: Life, cause: string): void {
  if (life.over || causes.has(life)) return
  causes.set(life, cause)
  life.kill()
}

async function over(run: Run, life: Life): Promise<void> {
  const end = await life.ended
  const point = end.point ?? causes.get(life) ?? 'by itself'
  count(run.points, point)
  if (end.signal !== 'SIGKILL') {
    run.problems.push(
      `the controller ended by itself (${end.signal ?? `exit code ${end.code}`}): ${end.words}`,
    )
  }
}

/** Kills when the n-th changing line is received. */
function arm(run: Run, life: Life, kill: Kill): (() => void)[] {
  if (kill.at !== 'line') return []
  let passed = 0
  run.onLine = (when) => {
    if (when !== kill.when) return
    passed += 1
    if (passed === kill.pass) killed(life, `line:${when}`)
  }
  return [() => void (run.onLine = () => undefined)]
}

function requests(life: Life, kill: Kill): { sent(): void; answered(): void } {
  const counted = (at: Kill['at']) => {
    let passed = 0
    return () => {
      passed += 1
      if (kill.at === at && 'pass' in kill && passed === kill.pass) killed(life, at)
    }
  }
  return { sent: counted('request'), answered: counted('answer') }
}

function befall(run: Run, trouble: Trouble): void {
  const { faults } = run.city.device(trouble.device)
  switch (trouble.kind) {
    case 'fault':
      faults.add(trouble.fault)
      return
    case 'reboot':
      // What a save that lied would bring back is nobody's any more: see `distrust`.
      if (!run.city.believed(trouble.device)) run.city.reboot(trouble.device)
      return
    case 'expire':
      // While nobody was there.
      return
    case 'away': {
      const back = faults.add({ kind: 'off' })
      later(trouble.ms, back)
    }
  }
}

/** Until nothing is under way, or the life is over. */
async function untilRest(run: Run, life: Life, kill: Kill): Promise<void> {
  const instead = `before ${kill.at === 'point' ? kill.point : kill.at} was reached`
  let { moved } = run
  let since = Date.now()
  while (!life.over && !causes.has(life)) {
    if (run.moved > moved) since = Date.now()
    moved = run.moved
    const stillFor = Date.now() - since
    if (stillFor > stillMs) return killed(life, `nothing moved ${instead}`)
    if (stillFor > restMs && run.ledger.underWay().length === 0) {
      return killed(life, `at rest ${instead}`)
    }
    await pause(lookMs)
  }
}

async function end(run: Run): Promise<void> {
  run.lives.stop()
  run.ledger.close()
  await run.city.stop()
  await rm(run.program)
  if (run.problems.length === 0) await rm(run.folder, { recursive: true })
  else run.options.say(`what is left of it stands in ${run.folder}`)
}

function later(ms: number, then: () => void): () => void {
  const timer = setTimeout(then, ms)
  return () => clearTimeout(timer)
}
