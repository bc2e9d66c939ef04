// Each enforcement has a chain of its own in the audit log: what an auditor of one decision is given. Held here: each step that touches something of an
// enforcement stands in its chain, and no other step does. Pure: entries in, problems out.

import { lies, type Placed } from './city.ts'
import type { Entry } from './ledger.ts'

/** A step of a device, in whosever chains it stands. */
interface Step {
  readonly seq: number
  readonly device: string
  readonly number: number
  readonly commands: readonly string[]
  readonly whom: Set<string>
}

/** Takes entries in, oldest first. */
export interface Chains {
  add(entries: readonly Entry[]): void
  /** What is wrong with the steps since the last question. */
  problems(about: About): readonly string[]
}

/** What the chains are held against. */
export interface About {
  readonly accepted: readonly { readonly id: string; readonly placed: readonly Placed[] }[]
  wave(id: string, device: string): number | undefined
}

/** Nothing has happened yet. */
export function chains(): Chains {
  const steps = new Map<string, Step>()
  const lives = new Map<string, { readonly from: number; to: number }>()
  /** Devices that an enforcement has had its turn on, with when that was seen first; '*' for all of them. */
  const turns = new Map<string, Map<string, number>>()

  function take(entry: Entry): void {
    const { seq, type, enforcement, device } = entry
    if (type === 'device.commands_intended' && entry.data['purpose'] === 'change') takeStep(entry)
    if (enforcement === undefined) return
    if (type === 'enforcement.requested') {
      lives.set(enforcement, { from: seq, to: Number.POSITIVE_INFINITY })
    }
    const life = lives.get(enforcement)
    const ends = type === 'enforcement.settled' && entry.data['status'] === 'released'
    if (life !== undefined && ends) life.to = Math.min(life.to, seq)
    const isSaidOfAll = type === 'enforcement.settled' && entry.data['status'] === 'enforced'
    if (isSaidOfAll) noteTurn(enforcement, '*', seq)
    if (type === 'device.commands_intended' && device !== undefined) {
      noteTurn(enforcement, device, seq)
    }
  }

  function noteTurn(enforcement: string, device: string, seq: number): void {
    const devices = turns.get(enforcement) ?? new Map<string, number>()
    turns.set(enforcement, devices)
    if (!devices.has(device)) devices.set(device, seq)
  }

  function takeStep({ seq, device = '', enforcement, data, commands = [] }: Entry): void {
    const number = Number(data['step'])
    const key = `${device} ${number}`
    const step = steps.get(key) ?? { seq, device, number, commands, whom: new Set() }
    steps.set(key, step)
    if (enforcement !== undefined) step.whom.add(enforcement)
  }

  /** Whether its turn had come on a device: with the first wave, or when something of the same wave or a later one had been done. */
  function hadTurn(id: string, { device, seq }: Step, about: About): boolean {
    const own = about.wave(id, device) ?? 0
    if (own === 0) return true
    return [...(turns.get(id) ?? [])].some(
      ([other, at]) => at < seq && (other === '*' || (about.wave(id, other) ?? -1) >= own),
    )
  }

  function problemsOf(step: Step, about: About): readonly string[] {
    const touched = touchedBy(step.commands)
    if (touched.size === 0) return []
    const what = `step ${step.number} of ${step.device} (entry ${step.seq}: ${step.commands.join(' ⏎ ')})`
    return about.accepted.flatMap(({ id, placed }) => {
      const life = lives.get(id)
      const own = placed.filter(({ device }) => device === step.device)
      const isTouched = own.some((one) => touches(touched, one))
      const isLive = life !== undefined && life.from < step.seq && step.seq < life.to
      if (step.whom.has(id)) {
        return (isTouched || own.some(isSilent)) && isLive
          ? []
          : [`the chain of ${id} holds ${what}, which is none of its`]
      }
      return isTouched && isLive && hadTurn(id, step, about)
        ? [`the chain of ${id} does not hold ${what}, which touches what is its`]
        : []
    })
  }

  return {
    add: (entries) => entries.forEach(take),
    problems(about) {
      const problems = [...steps.values()].flatMap((step) => problemsOf(step, about))
      steps.clear()
      return problems
    },
  }
}

/** Prefixes, addresses (as prefixes of one) and ports that lines name. */
function touchedBy(commands: readonly string[]): ReadonlySet<string> {
  const names = new Set<string>()
  for (const line of commands.flatMap((command) => command.split('\n'))) {
    for (const [, address = '', length, mask] of line.matchAll(ipv4)) {
      names.add(`${address}/${length ?? (mask === undefined ? 32 : lengthOf(mask))}`)
    }
    for (const [, prefix = ''] of line.toLowerCase().matchAll(ipv6)) names.add(prefix)
    const [, port] =
      /(?:^interface |^set interfaces |^delete interfaces | dev )(\S+)/.exec(line) ?? []
    if (port !== undefined) names.add(`port ${port}`)
  }
  return names
}

const ipv4 = /(?<![\d.])(\d+\.\d+\.\d+\.\d+)(?:\/(\d+)| (255\.\d+\.\d+\.\d+))?(?![\d.])/g
const ipv6 = /(?<![\w:])((?:[0-9a-f]+:)+[0-9a-f:]*\/\d+)/g

function touches(touched: ReadonlySet<string>, { name, filter }: Placed): boolean {
  const [kind, what = ''] = name.split(' ')
  if (kind === 'port') return touched.has(name)
  if (kind === 'neighbor') return touched.has(`${what}/32`)
  if (filter === undefined) return kind !== 'seen' && touched.has(what)
  return [...touched].some((one) => !one.startsWith('port ') && lies(filter.prefix, one))
}

/** What changes hands without a line: IOS has no place for the message of a neighbor, by which alone two decisions differ. */
function isSilent({ name, detail }: Placed): boolean {
  return name.startsWith('neighbor ') && detail === ''
}

/** `255.255.255.254` → 31. */
function lengthOf(mask: string): number {
  const bits = mask.split('.').map((byte) => Number(byte).toString(2).padStart(8, '0'))
  return bits.join('').replaceAll('0', '').length
}
