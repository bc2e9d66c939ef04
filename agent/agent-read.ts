// Reads that change nothing: for a plan, for `device check`.

import { reportLifted } from './converge-lifted.ts'
import { type Load, loadCandidate, newToken } from './converge-load.ts'
import { candidateOf, keysUnderWay } from './converge-pending.ts'
import { driftedKeys, orphansOf, statesOf } from './converge-states.ts'
import { backToRest, observe, readbackOf, type Work } from './converge-work.ts'
import { decide, intentsToRead } from './diff.ts'
import { AgentError, lastOutputMax } from './errors.ts'
import { type Intent, keyOf } from './intents.ts'
import type { KeyState, Reading } from './journal.ts'
import type { Answer, Change, Pending } from './platform.ts'
import type { Session } from './session.ts'

/** Reads what stands for these intents; on a platform with a candidate loads, compares, checks and discards the changes too. */
export async function readFor(
  work: Work,
  intents: readonly Intent[],
  changes: readonly Change[],
): Promise<Reading> {
  const session = await work.session()
  const { observation, readback } = await observe(work, session, intents)
  const reading: Reading = { observation, readback, findings: [] }
  const { transaction } = work.platform
  if (transaction.kind !== 'candidate' || changes.length === 0 || work.journal.frozen()) {
    return reading
  }
  const batch = work.platform.render(changes, observation.facts).flatMap((rendering, i) => {
    const change = changes[i]
    return rendering.kind === 'lines' && change !== undefined
      ? [{ key: keyOf(change.intent), rendering }]
      : []
  })
  if (batch.length === 0) return reading
  return { ...reading, candidate: await tryCandidate(work, session, batch) }
}

async function tryCandidate(
  work: Work,
  session: Session,
  batch: Load['batch'],
): Promise<NonNullable<Reading['candidate']>> {
  const { diff, refusal, pending } = await loadCandidate(work, session, {
    batch,
    token: newToken(),
  })
  if (refusal !== undefined) return { diff, check: `${refusal.line}: ${refusal.message}` }
  const check = await checked(work, session, pending)
  await backToRest(work, session)
  return { diff, check }
}

async function checked(
  work: Work,
  session: Session,
  pending: Pending | undefined,
): Promise<string> {
  const line = candidateOf(work).check
  if (line === undefined) return 'not checked: this system checks when it commits'
  // The device's check confirms what is pending: with anything pending it is left out.
  if (pending?.kind === 'pending') return 'not checked: a commit is pending'
  const [answer] = await session.run([line], work.signal)
  return answer?.refusal?.message ?? answer?.text ?? ''
}

/** Reads everything that is wanted or held, asks the platform's preflight questions, and records what was found. Nothing is put back here, and no change is said to have ended. */
export async function checkDevice(
  work: Work,
): Promise<{ readonly reading: Reading; readonly states: readonly KeyState[] }> {
  const session = await work.session()
  const desired = work.journal.desired()
  const { observation, readback } = await observe(work, session, intentsToRead(desired))
  const findings = await preflight(work, session)
  const decisions = decide(desired, observation)
  const states = statesOf({
    desired,
    observation,
    decisions,
    results: new Map(),
    written: new Map(),
    expired: new Set(),
    saves: false,
    // It never asks what waits on the device: that is the next convergence's, which this wakes.
    underWay: keysUnderWay(desired, observation),
  })
  await work.journal.verified({
    states,
    claims: new Map(),
    readback,
    session: 'own',
    orphans: orphansOf(desired, observation),
    drifted: driftedKeys(desired, observation),
    unsaved: work.unsaved,
  })
  await reportLifted(work, session, { desired, observation, all: true })
  return { reading: { observation, readback, findings: findings.findings }, states }
}

async function preflight(work: Work, session: Session): Promise<Pick<Reading, 'findings'>> {
  const { platform } = work
  const reads = platform.preflight.reads(work.device.roles, session.seen)
  const answers = await session.run(
    reads.map((read) => read.line),
    work.signal,
  )
  const byName = new Map<string, Answer>()
  for (const [i, read] of reads.entries()) {
    const answer = answers[i]
    if (answer === undefined) {
      const { text } = readbackOf(answers, work.platform)
      throw new AgentError('unknown_output', `no answer to \`${read.line.text}\``, {
        lastOutput: text.slice(-lastOutputMax),
      })
    }
    byName.set(read.what, answer)
  }
  return { findings: platform.preflight.judge(byName, session.seen) }
}
