// Asking the guards, on every path, with what they need to look at; and writing refusals down before they are thrown.

import { compile } from '../../playbooks/compile.ts'
import type { Compiled, Decision, Playbook } from '../../playbooks/model.ts'
import { targetsOf } from '../../playbooks/targets.ts'
import type { Json } from '../audit/record.ts'
import type { Caller } from '../controller.ts'
import { subjectJson } from '../digest.ts'
import type { Enforcement } from '../enforcement.ts'
import { ControllerError } from '../errors.ts'
import { judge, refusalIn } from '../guards.ts'
import type { Verdict } from '../plan.ts'
import type { Rows } from '../store/store.ts'
import { frozenAs } from '../usage.ts'
import { by, type Desk, now } from './desk.ts'

/** The playbook that a decision names. Throws ControllerError `unknown_playbook`, `playbook_mismatch`. */
export function playbookFor(desk: Desk, decision: Decision): Playbook {
  const { playbooks } = desk.world()
  const playbook = playbooks.get(decision.playbook)
  if (playbook === undefined) {
    throw new ControllerError(
      'unknown_playbook',
      `there is no playbook "${decision.playbook}": there are ${[...playbooks.keys()].join(', ')}`,
    )
  }
  if (playbook.decision !== decision.action) {
    throw new ControllerError(
      'playbook_mismatch',
      `the playbook "${playbook.name}" carries out ${playbook.decision}, not ${decision.action}: leave it out to take the one named after the action`,
    )
  }
  return playbook
}

/** What a decision comes to on the inventory of now. The id of its enforcement is known only once it is accepted; a plan shows zeros in its place. Throws ControllerError with the compiler's code. */
export function compileNow(
  desk: Desk,
  decision: Decision,
  playbook: Playbook,
  enforcement?: string,
): Compiled {
  const { inventory, lookup, neverCut } = desk.world()
  const context = { playbook, inventory, lookup, neverCut, platforms: desk.platforms }
  const compiled = compile(
    decision,
    enforcement === undefined ? context : { ...context, enforcement },
  )
  if ('kind' in compiled) throw new ControllerError(compiled.code, compiled.message)
  return compiled
}

/** The guards on something new. */
export function judgeNew(
  desk: Desk,
  rows: Rows,
  about: {
    readonly decision: Decision
    readonly compiled: Compiled
    readonly mayOverride: boolean
    /** The enforcement that this is, where it was accepted already and is looked at again. */
    readonly judged?: string
  },
): readonly Verdict[] {
  const { inventory, lookup, neverCut } = desk.world()
  const again =
    about.judged === undefined ? undefined : { enforcement: about.judged, newAct: false }
  const usage = rows.usage(now(desk), again)
  return judge({ ...about, inventory, lookup, neverCut, usage })
}

/** The guards on something accepted, as it was frozen. Throws ControllerError `guard_refused`. */
export function guardAgain(
  desk: Desk,
  rows: Rows,
  enforcement: Enforcement,
  why: 'extend' | 'retry',
): void {
  const { inventory, lookup, neverCut } = desk.world()
  const verdicts = judge({
    decision: enforcement.decision,
    compiled: frozenAs(enforcement, rows.wanted({ enforcement: enforcement.id })),
    inventory,
    lookup,
    neverCut,
    usage: rows.usage(now(desk), { enforcement: enforcement.id, newAct: why === 'extend' }),
    mayOverride: true,
  })
  if (refusalIn(verdicts) !== undefined) throw refusal(verdicts)
}

/** The error of verdicts that refuse: it names the first, and carries all. */
export function refusal(verdicts: readonly Verdict[]): ControllerError {
  const first = refusalIn(verdicts)
  const message = first === undefined ? 'a guard refuses it' : `${first.guard}: ${first.message}`
  const overrideRefused = first?.guard === 'override'
  return new ControllerError(overrideRefused ? 'override_not_allowed' : 'guard_refused', message, {
    guards: verdicts.filter(({ verdict }) => verdict === 'refuse'),
  })
}

/** Writes a refusal to the audit log, then throws it again: a refusal is audited like a success. */
export async function auditRefusal(
  desk: Desk,
  caller: Caller,
  fault: unknown,
  about: { readonly enforcement?: string; readonly decision?: Decision },
): Promise<never> {
  if (!(fault instanceof ControllerError) || fault.code === 'audit_unavailable') throw fault
  const guards = fault.detail['guards'] as readonly Verdict[] | undefined
  const data: Record<string, Json> = { why: fault.code, guard: guards?.[0]?.guard ?? fault.code }
  if (about.decision !== undefined) {
    data['action'] = about.decision.action
    data['subject'] = subjectJson(about.decision.subject)
  }
  if (guards !== undefined) data['hit'] = guards.flatMap(({ hit }) => hit ?? [])
  await desk.store.commit((tx) => {
    // The chain of an enforcement holds what happened to it; a refusal about one that isn't there is nobody's chain.
    const known = about.enforcement === undefined ? undefined : tx.enforcement(about.enforcement)
    const customer = known?.customer ?? customerOf(desk, about.decision)
    const on = {
      ...(known === undefined ? {} : { enforcement: known.id }),
      ...(customer === undefined ? {} : { customer }),
    }
    tx.append({ type: 'decision.refused', outcome: 'refused', ...by(caller), on, data })
  })
  throw fault
}

/** Whom a refused decision was about, so that the refusal is found under that customer; undefined where it is nobody's, or several customers'. */
function customerOf(desk: Desk, decision: Decision | undefined): string | undefined {
  if (decision === undefined) return undefined
  const targets = targetsOf(decision, desk.world())
  return targets.kind === 'targets' ? targets.customer.id : undefined
}
