// From running to what survives a reboot: a step of its own, with its own pair of records.

import { recordedSoon } from './converge-line.ts'
import { backToRest, named, parsed, readbackOf, type Work } from './converge-work.ts'
import { AgentError, internalFault, lastOutputMax } from './errors.ts'
import type { DoneStep, IntendedStep } from './journal.ts'
import type { Facts, Line } from './platform.ts'
import type { HeldObject, Save } from './platform-save.ts'
import type { Session } from './session.ts'

/** What became of a save. `withheld`: a freeze, or the policy `clean` and unsaved changes of others are there. `unread`: a convergence has to look at the device first. */
export type Saved = 'saved' | 'failed' | 'withheld' | 'nothing' | 'unread'

/** Longest time between what a convergence has seen and the save of it, in ms. A device that started again, or a daemon of it, brings back what was saved before. */
const seenMsMax = 5_000

/** When a convergence has looked at the device last, by the session in which it did: another session may be with a device that started again. */
const seenAt = new WeakMap<Session, number>()

/** A convergence has seen the device as it is now. */
export function noteSeenNow({ clock }: Work, session: Session): void {
  seenAt.set(session, clock.monotonicMs())
}

/** Saves the configuration, if the platform and the device's policy have it so. Only what a convergence has just seen: else it would save a lifted object that came back meanwhile, and take it for gone. */
export async function saveConfiguration(work: Work, facts: Facts): Promise<Saved> {
  const { save } = work.platform
  if (save === undefined || work.device.save === 'never') return 'nothing'
  if (work.journal.frozen()) return 'withheld'
  const session = await work.session()
  if (!isSeenNow(work, session)) return 'unread'
  const found = await orTold(work, () => look(work, session, save))
  if (work.device.save === 'clean' && found.foreign.length > 0) return 'withheld'
  // The looks may have taken long.
  if (work.journal.frozen()) return 'withheld'
  const lines = await orTold(work, async () => {
    const held = work.journal.desired().claims.filter((claim) => claim.phase === 'held')
    return save.lines([...held, ...found.kept], facts)
  })
  return send(work, session, { ...found, lines })
}

function isSeenNow({ clock }: Work, session: Session): boolean {
  const seen = seenAt.get(session)
  return seen !== undefined && clock.monotonicMs() - seen <= seenMsMax
}

/** What the device shows before it saves. */
interface Look {
  /** Unsaved differences that are not ours, and all of them as text. */
  readonly foreign: readonly string[]
  readonly text: string
  /** What is saved again without a claim. */
  readonly kept: readonly HeldObject[]
}

async function look(work: Work, session: Session, save: Save): Promise<Look> {
  await demandWhole(work, session, save)
  const unsaved = await differences(work, session, save)
  return { ...unsaved, kept: await keptWithoutClaim(work, session, save) }
}

async function send(
  work: Work,
  session: Session,
  { foreign, text, lines }: Look & { readonly lines: readonly Line[] },
): Promise<'saved' | 'failed'> {
  let begun: number | undefined
  const run = async (step: number): Promise<{ readonly refused: DoneStep['refused'] }> => {
    begun = step
    const answers = await session.run(lines, work.signal)
    const no = answers.find((answer) => answer.refusal !== undefined)?.refusal
    await backToRest(work, session)
    const line = answers.at(-1)?.line.text ?? ''
    return { refused: no === undefined ? undefined : { line, message: no.message } }
  }
  const intended: IntendedStep = {
    purpose: 'save',
    commands: lines.map((line) => line.text),
    claims: [],
    before: { kind: 'diff', text },
  }
  try {
    const { step, value } = await recordedSoon(work, session, intended, run)
    const message = value.refused?.message
    if (message === undefined) {
      await work.journal.saved({ ok: true, step, foreign })
      return 'saved'
    }
    await work.journal.saved({ ok: false, step, foreign, message })
    return 'failed'
  } catch (error) {
    // Without an answer nobody knows whether it is saved; then it is not.
    if (begun !== undefined) await tell(work, error, { step: begun, foreign })
    throw error
  }
}

/** Writes down why nothing is saved. If even that can't be written, what went wrong first is what counts. */
async function tell(
  { journal, platform }: Work,
  error: unknown,
  about: { readonly step?: number; readonly foreign: readonly string[] },
): Promise<void> {
  const fault =
    error instanceof AgentError ? error : internalFault(error, (text) => platform.redact(text))
  await journal.saved({ ok: false, ...about, message: fault.message }).catch(() => undefined)
}

/** Asks what must be known before it. Where that can't be read nothing is saved, and somebody must hear of it: a look that fails each time would leave it unsaved for good. */
async function orTold<T>(work: Work, look: () => Promise<T>): Promise<T> {
  try {
    return await look()
  } catch (error) {
    const isStopped = error instanceof AgentError && error.code === 'stopped'
    if (!isStopped) await tell(work, error, { foreign: [] })
    throw error
  }
}

/** A save that leaves out what the device can't show now would take it from its owner for good. */
async function demandWhole(work: Work, session: Session, { whole }: Save): Promise<void> {
  if (whole === undefined) return
  const answers = await session.run(whole.reads, work.signal)
  const gap = whole.gap(answers.map(({ text }) => text))
  if (gap === undefined) return
  throw new AgentError('line_refused', `nothing is saved now: ${gap}`, {
    lastOutput: readbackOf(answers, work.platform).text.slice(-lastOutputMax),
  })
}

/** What is saved already, stands with our mark, and has no claim: it stays saved until somebody decides about it. */
async function keptWithoutClaim(
  { journal, platform, signal }: Work,
  session: Session,
  { kept }: Save,
): Promise<readonly HeldObject[]> {
  if (kept === undefined) return []
  const { facts } = session.seen
  const { claims } = journal.desired()
  const known = new Set(
    claims.flatMap(({ wrote, replaces = [], earlier = [] }) => [
      ...wrote,
      ...replaces,
      ...earlier.flat(),
    ]),
  )
  const [saved] = await session.run([kept.saved], signal)
  if (saved === undefined) {
    throw new AgentError('unknown_output', `the device did not answer \`${kept.saved.text}\``)
  }
  const reads = parsed(platform, () => kept.reads(saved, known, facts))
  if (reads.length === 0) return []
  const lines = reads.map(({ line }) => line)
  const answers = named(reads, await session.run(lines, signal))
  const claimed = new Set(claims.map(({ key }) => key))
  return parsed(platform, () => kept.standing(saved, answers)).filter(
    ({ key }) => !claimed.has(key),
  )
}

/** What is not saved yet, and the part of it that is not ours, where the platform can tell. */
async function differences(
  work: Work,
  session: Session,
  save: Save,
): Promise<{ readonly foreign: readonly string[]; readonly text: string }> {
  if (save.differences === undefined) return { foreign: [], text: '' }
  const [answer] = await session.run([save.differences], work.signal)
  const text = answer?.text ?? ''
  const { claims } = work.journal.desired()
  const held = claims.flatMap(({ wrote, earlier = [] }) => [wrote, ...earlier])
  return { foreign: save.foreign?.(text, held) ?? [], text }
}
