// A model of Junos 19.1 and later: one candidate for everybody, commits that go back by themselves. From Juniper's guides and YANG models; texts in their documented form.

import type { MakeModel, Model, SessionTerminal } from '../model.ts'
import { openJunos } from './session.ts'
import { announcedBy, createState, hostOf, rollBack } from './state.ts'
import {
  copyTree,
  deletePath,
  displaySet,
  printStatement,
  readPaths,
  type Statement,
  setPath,
  wordsOf,
} from './tree.ts'

/** One Junos router. */
export const juniperJunos: MakeModel = (spec, settings): Model => {
  const state = createState(spec, settings)
  const byHand: SessionTerminal = {
    username: 'ops',
    number: 0,
    columns: 511,
    rows: 0,
    from: '192.0.2.10',
    interrupt: () => {},
  }
  const model: Model = {
    pager: { sign: '---(more)---', erase: `\r${' '.repeat(40)}\r`, ends: 'more', last: '' },
    open: (terminal) => openJunos(state, terminal),
    running: () => state.running.children.flatMap((one) => printStatement(one)).join('\n'),
    // A commit is what a reboot brings back; while one is pending, what was before it.
    startup: () =>
      (state.pending?.before ?? state.running).children
        .flatMap((one) => displaySet(one, []))
        .join('\n'),
    setByHand(lines) {
      // The operator has the candidate to himself: what somebody else is editing stays as it is.
      const { candidate, lockedBy } = state
      const editors = new Map(state.editors)
      state.candidate = copyTree(state.running)
      state.lockedBy = undefined
      state.editors.clear()
      const session = openJunos(state, byHand)
      session.run('configure')
      try {
        for (const line of lines) {
          const { text } = session.run(line)
          if (/^\s*\^|error/m.test(text))
            throw new Error(`${spec.name} refused "${line}": ${text.trim()}`)
        }
        // Lines that end with a commit of their own say how; otherwise it is committed plainly.
        if (!lines.some((line) => /^commit\b/.test(line))) {
          const { text } = session.run('commit')
          if (!text.includes('commit complete'))
            throw new Error(`${spec.name} refused the commit: ${text.trim()}`)
        }
      } finally {
        session.dropped()
        state.candidate = editors.size > 0 ? candidate : copyTree(state.running)
        if (editors.size > 0) applyLines(candidate, lines)
        state.lockedBy = lockedBy
        for (const [number, editor] of editors) state.editors.set(number, editor)
      }
    },
    pretend(work) {
      const { running, candidate, commits, pending } = state
      state.candidate = copyTree(candidate)
      try {
        return work()
      } finally {
        // A commit that lies has all the looks of one: an entry, a timer. Only the configuration is not there.
        const committed = state.commits !== commits
        state.running = running
        state.candidate = committed ? copyTree(running) : candidate
        if (!committed && state.pending !== pending) state.pending = pending
        state.listener()
      }
    },
    lock(by) {
      state.lockedBy = by
    },
    refuseSave(text) {
      state.saveRefusal = text
    },
    expireTimer() {
      if (state.pending === undefined) return false
      rollBack(state)
      return true
    },
    reboot() {
      state.pending?.cancel()
      state.pending = undefined
      state.editors.clear()
      state.candidate = copyTree(state.running)
      state.listener()
    },
    logLine: () =>
      `\nMessage from syslogd@${hostOf(state)} at ${settings.clock.now().toUTCString().slice(17, 25)}  ...\n${hostOf(state)} alarmd[5121]: Alarm cleared: simulated`,
    announced: () => announcedBy(state),
    learn(routes) {
      state.learnt = routes
    },
    onChange(listener) {
      state.listener = listener
    },
    stop() {
      state.pending?.cancel()
    },
  }
  if (spec.extra.length > 0) model.setByHand(spec.extra)
  return model
}

/** Puts set and delete lines into a candidate that somebody is editing: it must not take them back later. */
function applyLines(candidate: Statement, lines: readonly string[]): void {
  for (const line of lines) {
    const [verb, ...words] = wordsOf(line)
    const paths = readPaths(candidate, words, verb === 'delete')
    if (paths.kind === 'error') continue
    for (const path of paths.paths) {
      if (verb === 'set') setPath(candidate, path)
      if (verb === 'delete') deletePath(candidate, path)
    }
  }
}
