// One device of the simulator and the agent's own convergence on it, byte by byte through the real terminal and dialogue, but without SSH and without waiting:
// for properties over thousands of histories.

import { converge } from '../../agent/converge.ts'
import { saveConfiguration } from '../../agent/converge-save.ts'
import type { Work } from '../../agent/converge-work.ts'
import { AgentError } from '../../agent/errors.ts'
import type { Intent } from '../../agent/intents.ts'
import type { KeyState } from '../../agent/journal.ts'
import type {
  Answer,
  Context,
  Facts,
  Line,
  Observation,
  Platform,
  Read,
  Seen,
} from '../../agent/platform.ts'
import { platforms } from '../../agent/platforms/index.ts'
import type { Session } from '../../agent/session.ts'
import { createDialogue, type Dialogue } from '../../agent/session-dialogue.ts'
import { beginOpening } from '../../agent/session-opening.ts'
import { createScreen } from '../../agent/terminal-screen.ts'
import { createTranscript } from '../../agent/transcript.ts'
import { type Book, createBook } from '../simulator/agent-book.ts'
import { createFaults } from '../simulator/faults.ts'
import { createJournal } from '../simulator/journal.ts'
import { models } from '../simulator/models/index.ts'
import type { Model, ModelSession } from '../simulator/models/model.ts'
import { complete, type SimulatedDevice } from '../simulator/spec.ts'
import { startTerminal, type Terminal } from '../simulator/terminal.ts'
import { device as plainDevice } from '../unit/small-isp.ts'
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts'

/** A device with its agent's work on it. */
export interface Bench {
  readonly platform: Platform
  readonly model: Model
  readonly book: Book
  /** Makes exactly these wanted, converges until nothing is left to be done, and saves. Answers the last states. */
  settle(wanted: readonly Intent[]): Promise<readonly KeyState[]>
  /** One convergence with what the book wants now. */
  converge(): Promise<readonly KeyState[]>
  /** The running configuration as the platform compares it. */
  canonical(): string
  /** Reads these over a session, and keeps what came byte by byte. */
  record(intents: readonly Intent[]): Promise<Recording>
  /** What the device shows of these now, whoever is changing it. */
  look(intents: readonly Intent[]): Observation
  /** Called behind each line that the device has done: the text of the line. */
  onLine: ((line: string) => void) | undefined
  /** Called with each piece that the device sends, before the agent sees it. */
  onOutput: ((bytes: Buffer) => readonly Uint8Array[]) | undefined
}

/** What a device answered to a round of reads, as it came over the wire. */
export interface Recording {
  readonly seen: Seen
  readonly reads: readonly Read[]
  readonly bytes: Uint8Array
  /** The prompt that stood there before. */
  readonly lead: string
}

/** Convergences until a device must be at rest: one for the change, one for what stayed until a wider entry stood, one to see it. */
const roundsMax = 6

/** How lines get to the device: as bytes through terminal and dialogue, or, some times faster, as they are. */
export type Way = 'bytes' | 'lines'

/** Builds the device. Throws where the specification says what the model refuses. */
export function createBench(spec: SimulatedDevice, way: Way = 'bytes'): Bench {
  const clock = createVirtualClock()
  const model = models[spec.platform](complete(spec), { clock, minuteMs: 60_000, installMs: 0 })
  const platform = platformOf(spec.platform)
  const book = createBook()
  const hooks: Hooks = { onLine: undefined, onOutput: undefined, lead: '' }
  let warm: Session | undefined
  let unsaved = false
  let facts: Facts = {}
  let sessions = 0
  const open = async (): Promise<Session> => {
    sessions += 1
    return openWired({ spec, model, platform, clock, number: sessions, hooks, way })
  }
  const work: Work = {
    device: deviceOf(spec),
    platform,
    journal: book,
    clock,
    signal: new AbortController().signal,
    connected: () => warm !== undefined,
    async session() {
      warm ??= await open()
      return warm
    },
    another: open,
    interrupted: () => false,
    stopping: () => false,
    get unsaved() {
      return unsaved
    },
    limits: { ownMs: 20, observerMs: 20 },
    waits: new Map(),
    began: () => undefined,
  }
  const convergeOnce = async (): Promise<Awaited<ReturnType<typeof converge>>> => {
    const result = await clock.drive(converge(work))
    unsaved = result.unsaved
    facts = result.facts
    return result
  }
  return Object.assign(hooks, {
    platform,
    model,
    book,
    converge: async () => (await convergeOnce()).states,
    async settle(wanted: readonly Intent[]) {
      book.wanted = wanted
      for (let round = 0; round < roundsMax; round += 1) {
        const result = await convergeOnce()
        if (result.lookAgainMs !== undefined) continue
        if (unsaved && (await clock.drive(saveConfiguration(work, facts))) === 'saved') {
          unsaved = false
        }
        return result.states
      }
      throw new Error(`not at rest after ${roundsMax} convergences`)
    },
    async record(intents: readonly Intent[]) {
      const session = await clock.drive(work.session())
      const reads = platform.observe(intents, session.seen)
      const pieces: Buffer[] = []
      hooks.onOutput = (bytes) => {
        pieces.push(Buffer.from(bytes))
        return [bytes]
      }
      await clock.drive(session.run(reads.map(({ line }) => line)))
      hooks.onOutput = undefined
      return { seen: session.seen, reads, bytes: Buffer.concat(pieces), lead: hooks.lead }
    },
    canonical: () => platform.canonical(readDirectly(model, platform.configuration)),
    look(intents: readonly Intent[]) {
      if (warm === undefined) throw new Error('nothing was read yet')
      const reads = platform.observe(intents, warm.seen)
      const answers = new Map(readDirectly(model, reads))
      for (;;) {
        const further = platform.follow?.(answers, intents) ?? []
        if (further.length === 0) return platform.parse(answers, intents, warm.seen)
        for (const [what, answer] of readDirectly(model, further)) answers.set(what, answer)
      }
    },
  })
}

/** What bash says of its line editor, before the opening has turned that off. */
const bracketed = `${String.fromCharCode(27)}[?2004l\r`

/** Answers out of a session of its own, without a terminal in between. */
function readDirectly(model: Model, reads: readonly Read[]): ReadonlyMap<string, Answer> {
  const session = model.open({
    username: 'netops',
    number: -2,
    columns: 511,
    rows: 0,
    from: '192.0.2.250',
    interrupt: () => undefined,
  })
  const answers = new Map<string, Answer>()
  for (const { what, line } of reads) {
    const text = session.run(line.text).text.replace(bracketed, '').replace(/\n+$/, '')
    answers.set(what, { line, text })
  }
  session.dropped()
  return answers
}

interface Hooks {
  onLine: Bench['onLine']
  onOutput: Bench['onOutput']
  /** What stood on the last line when lines were sent. */
  lead: string
}

interface Wiring {
  readonly spec: SimulatedDevice
  readonly model: Model
  readonly platform: Platform
  readonly clock: VirtualClock
  readonly number: number
  readonly hooks: Hooks
  readonly way: Way
}

/** A session whose wire is a pair of functions. Bytes arrive in a later turn, as they do from a socket. */
async function openWired(wiring: Wiring): Promise<Session> {
  const { spec, model, platform, clock, number, hooks } = wiring
  const screen = createScreen(platform.columns)
  const transcript = createTranscript(clock)
  const common = { platform, screen, transcript, clock, deadlineMs: 4_000 }
  let terminal: Terminal | undefined
  let dialogue: Dialogue | undefined
  let ended: AgentError | undefined
  let close: (error: AgentError | undefined) => void = () => undefined
  const closed = new Promise<AgentError | undefined>((resolve) => void (close = resolve))
  const write = (text: string): void => queueMicrotask(() => terminal?.receive(Buffer.from(text)))
  const opening = beginOpening({
    ...common,
    nonce: '1a2b3c4d',
    facts: {},
    enable: undefined,
    write,
  })
  const receive = (bytes: Uint8Array): void => {
    screen.write(bytes)
    if (dialogue === undefined) opening.received()
    else dialogue.received()
  }
  const session = model.open({
    username: 'netops',
    number,
    columns: platform.columns,
    rows: 500,
    from: '192.0.2.250',
    interrupt: (text) => terminal?.interrupt(text),
  })
  const watched = {
    ...session,
    run(line: string) {
      const result = session.run(line)
      hooks.onLine?.(line)
      return result
    },
  }
  const drop = (error?: AgentError): void => {
    ended ??= error
    terminal?.dropped()
    close(ended)
  }
  terminal = startTerminal({
    model,
    session: watched,
    faults: createFaults(() => undefined),
    journal: createJournal(),
    clock,
    number,
    columns: platform.columns,
    rows: 500,
    pty: true,
    write(bytes) {
      const pieces = hooks.onOutput?.(bytes) ?? [bytes]
      for (const piece of pieces) queueMicrotask(() => receive(piece))
    },
    end: () => drop(),
    cut: () => drop(),
    silence: () => undefined,
    reboot: () => model.reboot(),
  })
  const { seen, context } = await opening.opened
  if (wiring.way === 'lines') return sessionOfLines(watched, { seen, context, platform }, closed)
  dialogue = createDialogue({ ...common, seen, write, close: drop }, context)
  const talk = dialogue
  return {
    seen,
    hostKey: `SHA256:${spec.name}`,
    get context() {
      return talk.context
    },
    get fault() {
      return talk.ended()
    },
    run(lines, signal) {
      hooks.lead = screen.text().slice(screen.text().lastIndexOf('\n') + 1)
      return talk.run(lines, signal)
    },
    progress: () => talk.progress(),
    transcript: () => transcript.text(),
    bytes: () => transcript.bytes(),
    mark: () => transcript.mark(),
    close: async () => drop(),
    closed,
  }
}

/** The context rule and the refusals as the dialogue has them, without its bytes. */
function sessionOfLines(
  session: ModelSession,
  start: { readonly seen: Session['seen']; readonly context: Context; readonly platform: Platform },
  closed: Session['closed'],
): Session {
  const { seen, platform } = start
  const prompt = platform.prompt(seen)
  let context = start.context
  let progress: { readonly sent: number; readonly answers: readonly Answer[] } = {
    sent: 0,
    answers: [],
  }
  const one = (line: Line): Answer => {
    const text = line.text
      .split('\n')
      .map((part) => session.run(part).text)
      .join('')
      .replace(/\n+$/, '')
    const found = prompt(session.prompt())
    if (found === undefined) throw new AgentError('no_prompt', session.prompt())
    context = found.context
    const unmet = line.expect?.test(text) === false ? { message: text } : undefined
    const refusal = platform.failed(line, text, found.status) ?? unmet
    return {
      line,
      text,
      ...(found.status === undefined ? {} : { status: found.status }),
      ...(refusal === undefined ? {} : { refusal }),
    }
  }
  return {
    seen,
    hostKey: 'SHA256:lines',
    get context() {
      return context
    },
    fault: undefined,
    async run(lines) {
      const answers: Answer[] = []
      progress = { sent: 0, answers }
      for (const line of lines) {
        if (!line.free && line.needs !== context) {
          throw new AgentError('unexpected_prompt', `${line.text} is not for ${context}`)
        }
        const answer = one(line)
        answers.push(answer)
        progress = { sent: answers.length, answers }
        const { refusal } = answer
        if (refusal !== undefined && (!line.free || line.opens !== undefined)) break
        if (refusal === undefined && context !== (line.opens ?? line.needs)) {
          throw new AgentError('unexpected_prompt', `after ${line.text} it is in ${context}`)
        }
      }
      return answers
    },
    progress: () => progress,
    transcript: () => '',
    bytes: () => 0,
    mark: () => undefined,
    close: async () => session.dropped(),
    closed,
  }
}

function platformOf(name: string): Platform {
  const found = platforms.get(name)
  if (found === undefined) throw new TypeError(`no platform ${name}`)
  return found
}

function deviceOf(spec: SimulatedDevice): Work['device'] {
  return plainDevice(spec.name, '127.0.0.1', {
    platform: spec.platform,
    roles: ['edge'],
    deadlineMs: 4_000,
    sessionIdleMs: 60_000,
  })
}
