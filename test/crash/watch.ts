// The city's devices, running in this process, which outlives each controller; with a record of every line that they received and of every moment in
// which what they show changed. Nothing here asks the product.

import type { SimulatorClock } from '../simulator/clock.ts'
import { machineClock } from '../simulator/clock.ts'
import { type Device, startDevice } from '../simulator/device.ts'
import type { WritableJournal } from '../simulator/journal.ts'
import type { Model } from '../simulator/models/model.ts'
import { connectNetwork } from '../simulator/network.ts'
import type { StoryDevice } from '../simulator/stories/story.ts'
import { shownRunning } from './shown.ts'

/** What brought a change about. */
export type Cause = 'line' | 'timer' | 'learnt' | 'reboot'

/** What a device shows from one moment on. Whole objects only. */
export interface Moment {
  readonly at: number
  readonly by: Cause
  /** The line that did it. */
  readonly line?: string
  /** What the step was for that the line belongs to. */
  readonly purpose?: string
  readonly objects: ReadonlySet<string>
}

/** A line that a device has received. */
export interface Line {
  readonly device: string
  readonly session: number
  readonly text: string
  readonly mode: string
}

/** Who wants to know. Called inside of the device's own turn: nothing else happens until they answer. */
export interface Listener {
  /** Before the line is carried out; answers what the step is for that it belongs to. */
  received(line: Line): string | undefined
  /** After it was; `changed`: the running or saved configuration is another now. `purpose`: what `received` answered. */
  done(line: Line, changed: boolean, purpose: string | undefined): void
}

/** The running city. */
export interface City {
  readonly devices: readonly Device[]
  device(name: string): Device
  /** What a device has shown, oldest first. */
  moments(device: string): readonly Moment[]
  /** When it was last switched off and on. */
  rebooted(device: string): readonly number[]
  /** When sessions were opened on it. */
  opened(device: string): readonly number[]
  /** Whether a save was answered as if done, was not, and nothing has saved the same since. */
  believed(device: string): boolean
  reboot(device: string): void
  /** Lets the window of a commit that waits to be confirmed run out, if there is one. */
  expire(device: string): void
  listen(listener: Listener): void
  stop(): Promise<void>
}

interface Watched {
  readonly device: Device
  readonly moments: Moment[]
  readonly reboots: number[]
  readonly opened: number[]
  running: string
  startup: string
  seen: readonly string[]
  purpose: string | undefined
  /** It carries out a line on a configuration that it will forget: nothing of that is shown to anybody. */
  pretends: boolean
  /** Saves that were answered and not done, by the line that began each. */
  readonly believed: Set<string>
}

const silent: Listener = { received: () => undefined, done: () => undefined }

/** Starts all devices. `minuteMs`: how long a minute of their own timers takes. */
export async function startCity(
  specs: readonly StoryDevice[],
  options: { readonly password: string; readonly enable: string; readonly minuteMs: number },
): Promise<City> {
  const watched = new Map<string, Watched>()
  let listener = silent
  const lookAtAll = (by: Cause): void => {
    for (const one of watched.values()) look(one, by)
  }
  const clock: SimulatorClock = {
    now: () => machineClock.now(),
    after: (ms, then) =>
      machineClock.after(ms, () => {
        then()
        lookAtAll('timer')
      }),
  }
  for (const { says: _says, ...spec } of specs) {
    const device = await startDevice(
      {
        password: options.password,
        discardNextHops: ['192.0.2.254', '100::1'],
        asn: '64500',
        ...(spec.platform === 'cisco_ios' ? { enablePassword: options.enable } : {}),
        ...spec,
      },
      { clock, minuteMs: options.minuteMs, installMs: 0 },
    )
    const one: Watched = {
      device,
      moments: [],
      reboots: [],
      opened: [],
      running: '',
      startup: '',
      seen: [],
      purpose: undefined,
      pretends: false,
      believed: new Set(),
    }
    watched.set(device.name, one)
    look(one, 'reboot')
    watch(one, () => listener)
  }
  const devices = [...watched.values()].map(({ device }) => device)
  const disconnect = connectNetwork(devices, 5, clock)
  const of = (name: string): Watched => {
    const found = watched.get(name)
    if (found === undefined) throw new Error(`the city has no device ${name}`)
    return found
  }
  return {
    devices,
    device: (name) => of(name).device,
    moments: (name) => of(name).moments,
    rebooted: (name) => of(name).reboots,
    opened: (name) => of(name).opened,
    believed: (name) => of(name).believed.size > 0,
    reboot(name) {
      const one = of(name)
      one.reboots.push(Date.now())
      one.device.reboot()
      look(one, 'reboot')
    },
    expire(name) {
      const one = of(name)
      if (one.device.expireTimer()) look(one, 'timer')
    },
    listen(next) {
      listener = next
    },
    async stop() {
      disconnect()
      await Promise.all(devices.map((device) => device.stop()))
    },
  }
}

/** Looks what the device shows; answers whether one of its configurations is another than at the last look. */
function look(one: Watched, by: Cause, line?: string): boolean {
  const { device, moments, pretends } = one
  if (pretends) return false
  const [running, startup] = [device.running, device.startup]
  const changed = running !== one.running || startup !== one.startup
  const known = running === one.running && by !== 'learnt' && moments.length > 0
  one.running = running
  one.startup = startup
  if (known) return changed
  const shown = shownRunning(device.platform, running)
  const whole = [...shown.objects].filter(([, detail]) => !detail.startsWith('only '))
  const objects = new Set([...whole.map(([name]) => name), ...one.seen])
  const last = moments.at(-1)
  if (last === undefined || !sameSet(last.objects, objects)) {
    moments.push({
      at: Date.now(),
      by,
      objects,
      ...(line === undefined ? {} : { line }),
      ...(line === undefined || one.purpose === undefined ? {} : { purpose: one.purpose }),
    })
  }
  return changed
}

function sameSet(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((name) => other.has(name))
}

/** Puts an ear at each place by which a device hears of something. */
function watch(one: Watched, listener: () => Listener): void {
  const { device } = one
  const { name, model } = device
  // The device hands the same journal out to be read that its sessions write.
  const journal = device.journal as WritableJournal
  const write = journal.write.bind(journal)
  journal.write = (entry) => {
    write(entry)
    if (entry.kind === 'open') one.opened.push(Date.now())
    if (entry.kind === 'line') {
      one.purpose = listener().received({
        device: name,
        session: entry.session,
        text: entry.text,
        mode: entry.mode,
      })
    }
  }
  const open = model.open.bind(model)
  model.open = (terminal) => {
    const session = open(terminal)
    const run = session.run.bind(session)
    let document: string | undefined
    session.run = (text) => {
      const line: Line = { device: name, session: terminal.number, text, mode: session.mode() }
      const result = run(text)
      // Linux saves by here-documents, which are done with their last line.
      if (text.includes("<<'EOF'")) document = text
      const saves = text === 'EOF' ? document : /^write memory$/.exec(text)?.[0]
      if (saves !== undefined && one.purpose === 'save') {
        if (one.pretends) one.believed.add(saves)
        else one.believed.delete(saves)
      }
      listener().done(line, look(one, 'line', text), one.purpose)
      return result
    }
    return session
  }
  const pretend = model.pretend.bind(model)
  model.pretend = (work) => {
    one.pretends = true
    try {
      return pretend(work)
    } finally {
      one.pretends = false
    }
  }
  const learn: Model['learn'] = model.learn.bind(model)
  model.learn = (routes) => {
    learn(routes)
    one.seen = routes.map(({ prefix }) => `seen ${canonical(prefix)}`)
    look(one, 'learnt')
  }
}

function canonical(prefix: string): string {
  return prefix.toLowerCase()
}
