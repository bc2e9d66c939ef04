// What must not be taken away unnoticed: each is one small change to the source that makes a rule always pass, and the tests that have to say so.

import { readFileSync } from 'node:fs'

/** A change to one file, made in memory while its tests run. */
export interface Mutation {
  readonly name: string
  /** From the top of the repository. */
  readonly file: string
  /** Must stand in the file exactly once. */
  readonly from: string
  readonly to: string
  readonly tests: readonly string[]
}

const top = new URL('../../', import.meta.url)

/** Text of a file of the repository. */
export function sourceOf(file: string): string {
  return readFileSync(new URL(file, top), 'utf8')
}

interface Target {
  readonly file: string
  readonly tests: readonly string[]
}

const guards: Target = {
  file: 'controller/guards.ts',
  tests: ['test/unit/guards.test.ts'],
}
const ownership: Target = { file: 'agent/diff.ts', tests: ['test/unit/diff.test.ts'] }
const refusal: Target = { file: 'agent/refusals.ts', tests: ['test/unit/diff.test.ts'] }
const meaning: Target = {
  file: 'agent/converge-states.ts',
  tests: ['test/unit/converge-states.test.ts'],
}
const status: Target = {
  file: 'controller/progress.ts',
  tests: ['test/unit/enforcement.test.ts'],
}
const lifeCycle: Target = {
  file: 'controller/life-cycle.ts',
  tests: ['test/unit/enforcement.test.ts'],
}
const readBack: Target = {
  file: 'controller/settle.ts',
  tests: ['test/store/journal.test.ts'],
}
const dialogue: Target = {
  file: 'agent/session-dialogue.ts',
  tests: ['test/unit/session-dialogue.test.ts'],
}
const together: Target = { ...dialogue, file: 'agent/session-window.ts' }
const carving: Target = {
  file: 'playbooks/carving.ts',
  tests: ['test/unit/playbooks-compile.test.ts'],
}
const union: Target = { file: 'controller/desired.ts', tests: ['test/unit/desired.test.ts'] }

/** One for each guard of the list, as it stands in the source: a new guard is here by itself. */
function eachGuard(): readonly Mutation[] {
  const line = /\{ name: '(\w+)', overridable: (true|false), test: (\w+) \}/g
  const found = [...sourceOf(guards.file).matchAll(line)]
  return found.flatMap(([from, name = '', overridable = '', test = '']) => [
    {
      ...guards,
      name: `guard ${name} always passes`,
      from,
      to: from.replace(`test: ${test}`, 'test: () => undefined'),
    },
    ...(overridable === 'true'
      ? []
      : [
          {
            ...guards,
            name: `guard ${name} can be overridden`,
            from,
            to: from.replace('overridable: false', 'overridable: true'),
          },
        ]),
  ])
}

/** One for each number that a budget counts. */
function eachBudget(): readonly Mutation[] {
  const source = sourceOf(guards.file)
  return ['decisionBudget', 'hourBudget'].flatMap((budget) => {
    const start = source.indexOf(`function ${budget}(`)
    const body = source.slice(start, source.indexOf('\n}\n', start))
    return [...body.matchAll(/^ {4}\['(\w+)', .*\],$/gm)].map(([from, count = '']) => ({
      ...guards,
      name: `${budget} does not count ${count}`,
      from,
      to: '',
    }))
  })
}

function change(target: Target, name: string, from: string, to: string): Mutation {
  return { ...target, name, from, to }
}

const byHand: readonly Mutation[] = [
  change(
    guards,
    'anybody may override',
    'guard.overridable && input.mayOverride',
    'guard.overridable',
  ),
  change(
    guards,
    'every guard may be overridden',
    'guard.overridable && input.mayOverride',
    'input.mayOverride',
  ),
  change(
    guards,
    'an override without the role is not refused',
    'if (!mayOverride) {',
    'if (false) {',
  ),
  change(
    guards,
    'an override of no guard is not refused',
    'if (unknown.length > 0) {',
    'if (false) {',
  ),
  change(
    guards,
    'an override of a fixed guard is not refused',
    'if (fixed.length > 0) {',
    'if (false) {',
  ),
  change(
    guards,
    'the prefix that was named is not looked at',
    '? [decision.subject.prefix] : []',
    '? [] : []',
  ),
  change(
    guards,
    'the session that was named is not looked at',
    "...(decision.subject.kind === 'neighbor' ? [decision.subject] : []),",
    '',
  ),
  change(
    guards,
    'what is left after carving is not looked at',
    'compiled.prefixes.flatMap(at)',
    '[]',
  ),
  change(
    guards,
    'a prefix carved away by two guards passes',
    'rest.length === 0 || isGone',
    'rest.length === 0',
  ),
  change(
    guards,
    'a port that may be several passes',
    'if (naming !== undefined && naming.canonicalPort(port) === undefined) {',
    'if (false) {',
  ),
  change(
    guards,
    'a port is nobody’s and passes',
    "return theirs ? [] : [`${name}: is nobody's in the inventory`]",
    'return []',
  ),
  change(
    carving,
    'never-cut addresses are not carved out',
    '[...vital, ...shields]',
    '[...shields]',
  ),
  change(carving, 'protected space is not carved out', '[...vital, ...shields]', '[...vital]'),
  change(
    carving,
    'a customer’s own neighbors are carved out',
    '.filter(({ ownNeighborOf }) => ownNeighborOf !== customer)',
    '',
  ),
  change(
    ownership,
    'an object without the mark is ours',
    "if (found.mark === 'none') return false",
    '',
  ),
  change(
    ownership,
    'whatever stands there is ours',
    'sameObject(found.object, claim.wrote) ||',
    'true ||',
  ),
  change(
    ownership,
    'another’s object is overwritten',
    "found.effect === 'other' ? foreignStop(found, claim) : orphan",
    'orphan',
  ),
  change(
    ownership,
    'an orphan makes room for ours',
    "found.effect === 'other' ? foreignStop(found, claim) : orphan",
    "found.effect === 'other' ? foreignStop(found, claim) : undefined",
  ),
  change(refusal, 'what can not be read is gone', 'if (!isReadable(found)) return found.stop', ''),
  change(
    refusal,
    'what is in force is gone',
    "if (claim.phase !== 'held' || !staysInForce(found) || found.effect !== 'none') return undefined",
    'return undefined',
  ),
  change(
    ownership,
    'what is lifted is gone with its line',
    '(isHeldUp ? undefined : decideLeaving(claim, found)) ??',
    '',
  ),
  change(
    ownership,
    'a discard with a hole in it is gone',
    "return found.inForce === 'no'",
    "return found.inForce !== 'yes'",
  ),
  change(
    ownership,
    'the same by another hand is put on again',
    "if (found.effect === 'same') {",
    'if (false) {',
  ),
  change(
    ownership,
    'what does not show in force is settled',
    "return inForce === 'yes' || (inForce === 'unknown' && cannotTell === true)",
    'return true',
  ),
  change(
    ownership,
    'what could not be read is settled',
    "return inForce === 'yes' || (inForce === 'unknown' && cannotTell === true)",
    "return inForce !== 'no'",
  ),
  change(
    meaning,
    'what was taken away by another hand was never ours',
    "? 'applied' : 'already'",
    "? 'already' : 'already'",
  ),
  change(
    readBack,
    'what was lifted before was never ours',
    "about.before?.outcome === 'applied'",
    'false',
  ),
  change(
    status,
    'enforced without every device',
    'if (spread.complete && statuses.every(({ status }) => isDone(status))) return',
    'if (spread.complete) return',
  ),
  change(
    status,
    'enforced before the roll-out is complete',
    'if (spread.complete && statuses.every(({ status }) => isDone(status))) return',
    'if (statuses.every(({ status }) => isDone(status))) return',
  ),
  change(
    status,
    'released without every device',
    '.every(({ status }) => isDone(status))\n    const end',
    '.every(() => true)\n    const end',
  ),
  change(
    status,
    'what an edge can’t learn yet takes all back',
    'failed.find(({ keys }) => !keys.some((key) => causes.has(key)))',
    'failed[0]',
  ),
  change(
    status,
    'an edge takes all back before its trigger was read again',
    'verifiedAt < since',
    'false',
  ),
  change(
    { ...status, file: 'controller/rollout.ts' },
    'what failed is done',
    "return status === 'verified' || status === 'unsupported'",
    "return status === 'verified' || status === 'unsupported' || status === 'failed'",
  ),
  change(
    readBack,
    'a read-back from before a release counts for it',
    "return then === 'releasing'",
    'return true',
  ),
  change(lifeCycle, 'who asked may approve', 'if (samePerson(by.person, asker)) {', 'if (false) {'),
  change(
    lifeCycle,
    'a token that the requester made may approve',
    'if (isMaker(by, asker, from.requestedBy.id)) {',
    'if (false) {',
  ),
  change(
    lifeCycle,
    'another plan is approved',
    'if (event.digest !== from.digest) {',
    'if (false) {',
  ),
  change(
    lifeCycle,
    'one person approves twice',
    'if (from.approvals.given.some(({ person }) => samePerson(person, event.by.person))) {',
    'if (false) {',
  ),
  change(
    lifeCycle,
    'a termination is released without an admin',
    "if (from.decision.action === 'terminate' && !event.by.admin) {",
    'if (false) {',
  ),
  change(
    lifeCycle,
    'an end later than allowed passes',
    'if (expiresAt > latest) {',
    'if (false) {',
  ),
  change(
    together,
    'a line goes out in any context',
    'if (!first.free) return first.needs === context ? [first] : []',
    'if (!first.free) return [first]',
  ),
  change(
    together,
    'a line that waits goes behind free ones',
    'if (!line.free) {\n      if (entersBehindReads(line, window, { context, platform })) window.push(line)\n      break\n    }',
    '',
  ),
  change(
    together,
    'a line follows one that opens a context',
    'if (before?.opens !== undefined || before?.replies !== undefined) break',
    '',
  ),
  change(
    dialogue,
    'another prompt than the expected is taken',
    'if (piece.context !== expected && answer.refusal === undefined) {',
    'if (false) {',
  ),
  change(
    dialogue,
    'a refused line is followed by the next',
    'return answer.refusal !== undefined && (!answer.line.free || answer.line.opens !== undefined)',
    'return false',
  ),
  change(
    union,
    'the youngest decides',
    'if (!byKey.has(key)) byKey.set(key, intent)',
    'byKey.set(key, intent)',
  ),
  change(
    union,
    'what is not in force is wanted',
    'standingRows(rows, inForce)',
    "standingRows(rows, [...inForce, 'awaiting_approval', 'releasing'])",
  ),
]

/** All of them. */
export function allMutations(): readonly Mutation[] {
  return [...eachGuard(), ...eachBudget(), ...byHand]
}
