// A model of Cisco IOS 15.x: every line is in force when it is typed. From Cisco's configuration guides and command references; texts in their documented form.

import type { MakeModel, Model } from '../model.ts'
import { configLines, copyConfig, noteConfig } from './config.ts'
import { openIos, rollBack } from './session.ts'
import { timeText } from './show.ts'
import { announcedBy, createState } from './state.ts'

/** One IOS router or switch. */
export const ciscoIos: MakeModel = (spec, settings): Model => {
  const state = createState(spec, settings)
  const model: Model = {
    pager: {
      sign: ' --More-- ',
      erase: `${'\b'.repeat(10)}${' '.repeat(10)}${'\b'.repeat(10)}`,
      ends: 'more',
      last: '',
    },
    open: (terminal) => openIos(state, terminal),
    running: () => `${configLines(state.config).join('\n')}\n`,
    startup: () => `${configLines(state.saved).join('\n')}\n`,
    setByHand(lines) {
      const session = openIos(state, {
        username: 'ops',
        number: 0,
        columns: 511,
        rows: 0,
        from: '192.0.2.10',
        interrupt: () => {},
      })
      // Whoever holds the lock may change things.
      const held = state.lockedBy
      state.lockedBy = undefined
      session.run('enable')
      session.run(spec.enablePassword ?? '')
      session.run('configure terminal')
      state.lockedBy = held
      for (const line of lines) {
        const { text } = session.run(line)
        if (text !== '') throw new Error(`${spec.name} refused "${line}": ${text.trim()}`)
      }
      session.run('end')
      session.dropped()
    },
    pretend(work) {
      const { config, saved, learnt, revert, lastChange } = state
      const restore = noteConfig(config)
      try {
        return work()
      } finally {
        restore()
        if (state.revert !== revert) state.revert?.cancel()
        Object.assign(state, { config, saved, learnt, revert, lastChange })
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
      if (state.revert === undefined) return false
      rollBack(state)
      return true
    },
    reboot() {
      state.revert?.cancel()
      state.revert = undefined
      state.config = copyConfig(state.saved)
      state.listener()
    },
    logLine() {
      const [time, , , month, day] = timeText(settings.clock.now()).split(' ')
      return `*${month} ${day?.padStart(2)} ${time}.128: %LINK-3-UPDOWN: Interface GigabitEthernet0/9, changed state to up`
    },
    announced: () => announcedBy(state),
    learn(routes) {
      state.learnt = routes
    },
    onChange(listener) {
      state.listener = listener
    },
    stop() {
      state.revert?.cancel()
    },
  }
  model.setByHand(spec.extra)
  state.saved = copyConfig(state.config)
  state.lastChange = undefined
  return model
}
