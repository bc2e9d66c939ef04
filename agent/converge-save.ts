// From running to what survives a reboot: a step of its own, with its own pair of records.

import { recorded } from './converge-line.ts'
import { backToRest, type Work } from './converge-work.ts'
import type { Facts, Save } from './platform.ts'
import type { Session } from './session.ts'

/** What became of a save. `withheld`: the policy `clean`, and unsaved changes of others are there. */
export type Saved = 'saved' | 'failed' | 'withheld' | 'nothing'

/** Saves the configuration, if the platform and the device's policy have it so. */
export async function saveConfiguration(work: Work, facts: Facts): Promise<Saved> {
  const { save } = work.platform
  if (save === undefined || work.device.save === 'never') return 'nothing'
  if (work.journal.frozen()) return 'withheld'
  const session = await work.session()
  const { foreign, text } = await differences(work, session, save)
  if (work.device.save === 'clean' && foreign.length > 0) return 'withheld'
  const held = work.journal.desired().claims.filter((claim) => claim.phase === 'held')
  const lines = save.lines(
    held.map(({ intent, wrote }) => ({ intent, wrote })),
    facts,
  )
  const { step, value } = await recorded(
    work,
    session,
    {
      purpose: 'save',
      commands: lines.map((line) => line.text),
      claims: [],
      before: { kind: 'diff', text },
    },
    async () => {
      const answers = await session.run(lines, work.signal)
      const no = answers.find((answer) => answer.refusal !== undefined)?.refusal
      await backToRest(work, session)
      const line = answers.at(-1)?.line.text ?? ''
      return { refused: no === undefined ? undefined : { line, message: no.message } }
    },
  )
  const { refused } = value
  await work.journal.saved({
    step,
    ok: refused === undefined,
    foreign,
    ...(refused === undefined ? {} : { message: refused.message }),
  })
  return refused === undefined ? 'saved' : 'failed'
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
  const held = work.journal.desired().claims.map((claim) => claim.wrote)
  return { foreign: save.foreign?.(text, held) ?? [], text }
}
