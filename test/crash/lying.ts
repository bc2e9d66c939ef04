// Devices that lie: they answer each line of a change as if it had been done, and do nothing. Nothing may be said to be in force there by those words,
// only by a read-back; and a controller that is killed before it has judged one shows nothing. So in a life in which nobody is killed some devices lie
// until the controller has said how they stand.

import type { SimulatedPlatform } from '../simulator/spec.ts'
import { keysOf } from './checks.ts'
import { devices, objectsOf, type Subject } from './city.ts'
import type { Answer } from './desk.ts'
import type { Entry } from './ledger.ts'
import type { Action } from './plan.ts'
import { nobody, pause, type Run } from './run.ts'

/** A decision about which a device lies. */
export interface Lie {
  readonly device: string
  readonly enforcement: string
  /** What is wanted of the device by it, and of nobody else: keys as the product says them. */
  readonly keys: ReadonlySet<string>
}

/** Longest time until a controller must have judged it, in ms. */
const judgedMsMax = 30_000
/** Time between two questions how it stands, in ms. */
const askedMs = 50
/** A run with so many kills in which no lie was judged has not looked. */
const killsToJudge = 100

/** The lines by which a change comes about; not those that read, move or save. On a candidate it is the commit: a line that leaves no trace in it is noticed before. */
const changes: Readonly<Record<SimulatedPlatform, RegExp>> = {
  frr: /^(?:no )?(?:ip route|ipv6 route|neighbor) /,
  linux:
    /^(?:setsid -w sudo -n )?(?:ip (?:-[46] )?(?:route|link) (?:add|prepend|append|replace|del|set) |nft '?(?:add|delete) )/,
  cisco_ios: /^(?:no )?(?:(?:ip|ipv6) route |neighbor |host |shutdown$|\d)/,
  juniper_junos: /^commit confirmed\b/,
}

/** The devices that lie at a look: one whose lines are live at once, which is judged by its read-back alone, and one with a candidate, whose commit is. Each has its turn, the first by the seed; never the one that lies about its save then. */
export function liarsAt(seed: number, looks: number, saving: string): readonly string[] {
  const honest = devices.filter(({ name }) => name !== saving)
  return [true, false].flatMap((commits) => {
    const alike = honest.filter(({ platform }) => (platform === 'juniper_junos') === commits)
    return alike[(seed + looks) % alike.length]?.name ?? []
  })
}

/** Takes the decision while these devices lie, until each whose turn it is was judged: where a roll-out waits for one, those behind it tell the truth. Answers problems. */
export async function lieAbout(
  run: Run,
  url: string,
  about: {
    readonly decision: Action & { readonly kind: 'decide' }
    readonly liars: readonly string[]
  },
): Promise<readonly string[]> {
  const { decision, liars } = about
  const lies = liars.map((device) => {
    const { acted } = run.city.device(device).faults
    return { device, acted, number: decision.number, end: lieOn(run, device) }
  })
  run.desk.add([decision])
  const problems = [...(await run.desk.work(url, nobody))]
  const id = run.sent.get(decision.number)?.id ?? ''
  const waveOf = (device: string): number => run.ledger.wave(id, device) ?? 0
  const first = Math.min(...liars.map(waveOf))
  for (const lie of lies) if (waveOf(lie.device) > first) lie.end()
  for (const lie of lies) {
    if (waveOf(lie.device) === first) problems.push(...(await judgeLie(run, url, lie)))
  }
  for (const { end } of lies) end()
  return problems
}

/** Puts the lie on; the answered function takes it off. */
function lieOn({ city }: Run, device: string): () => void {
  const matching = changes[city.device(device).platform]
  return city.device(device).faults.add({ kind: 'lie', matching })
}

/** What an answer of the API says of a device in an enforcement. */
export function standingIn(answer: Answer | undefined, device: string): string | undefined {
  return answer?.body.devices?.find((one) => one.device === device && one.role === 'enforcer')
    ?.status
}

/** Waits until the API says how the device stands that lies about this decision. Answers problems: that it was believed, or never judged. */
async function judgeLie(
  run: Run,
  url: string,
  about: { readonly device: string; readonly number: number; readonly acted: number },
): Promise<readonly string[]> {
  const { device, number, acted } = about
  const one = run.sent.get(number)
  if (one?.id === undefined) return [`decision ${number}, about which ${device} lies, has no id`]
  const lie = lieOf(device, one.id, one.subject)
  const end = Date.now() + judgedMsMax
  let status: string | undefined
  while (Date.now() < end) {
    const answer = await run.desk.call(url, 'GET', `/v1/enforcements/${lie.enforcement}`)
    status = standingIn(answer, device)
    const wasTold = run.city.device(device).faults.acted > acted
    if (wasTold && isJudged(status)) {
      // Of this very moment: the log is durable before anybody is answered, and the device still lies.
      const problems = believedIn(run.ledger.entries(run.read), lie)
      if (answer?.body.status === 'enforced') {
        problems.push(`${lie.enforcement} is enforced, and ${device} only said that it did it`)
      }
      if (status === 'verified') {
        problems.push(`${device} is verified in ${lie.enforcement}, and only said that it did it`)
      }
      if (problems.length === 0) run.lies += 1
      return problems
    }
    await pause(askedMs)
  }
  return [
    `${device} lies about ${lie.enforcement}, and is ${status ?? 'not there'} after ${judgedMsMax} ms: nobody has judged it`,
  ]
}

function isJudged(status: string | undefined): boolean {
  return status === 'failed' || status === 'refused' || status === 'verified'
}

function lieOf(device: string, enforcement: string, subject: Subject): Lie {
  const placed = objectsOf(subject, '').filter((object) => object.device === device)
  return { device, enforcement, keys: new Set(placed.flatMap(({ name }) => keysOf(name))) }
}

/** What the log said to be in force by the word of the device that lies. */
export function believedIn(entries: readonly Entry[], lie: Lie): string[] {
  const { device, enforcement, keys } = lie
  return entries
    .filter((entry) => entry.enforcement === enforcement)
    .flatMap(({ seq, type, device: of, data }) => {
      if (type === 'enforcement.settled' && data['status'] === 'enforced') {
        return [`entry ${seq} says that ${enforcement} is enforced, and ${device} lies about it`]
      }
      if (type !== 'device.verified' || of !== device) return []
      return verifiedKeys(data['intents'])
        .filter((key) => keys.has(key))
        .map((key) => `entry ${seq} says that ${device} shows ${key}, and it lies about it`)
    })
}

function verifiedKeys(intents: unknown): readonly string[] {
  // The log writes no other shape.
  const states = (intents ?? []) as readonly { readonly key: string; readonly verified: boolean }[]
  return states.filter(({ verified }) => verified).map(({ key }) => key)
}

/** What is wrong with a run in which the controller was never seen to judge a lie. */
export function neverJudged(kills: number, lies: number): readonly string[] {
  return kills >= killsToJudge && lies === 0
    ? [`in ${kills} kills no lie of a device was judged: nothing is known of what it believes`]
    : []
}
