// A model of FRRouting 8.4 and 10.x behind vtysh. From the FRRouting User Guide and recordings of 8.4.4 and 10.3.

import type { MakeModel, Model } from '../model.ts'
import { copyConfig, printConfig } from './config.ts'
import { openFrr } from './session.ts'
import { announcedBy, createState } from './state.ts'

/** One FRR router. */
export const frr: MakeModel = (spec, settings): Model => {
  const state = createState(spec, settings)
  const model: Model = {
    // With the pager on, `less` takes the screen, and what is typed next are its keys.
    pager: {
      sign: '\x1b[7m:\x1b[27m',
      erase: '\r\x1b[K',
      ends: 'less',
      last: '\x1b[7m(END)\x1b[27m',
    },
    open: (terminal) => openFrr(state, terminal),
    running: () => printConfig(state.config, state.version),
    startup: () => printConfig(state.saved, state.version),
    setByHand(lines) {
      const session = openFrr(state, {
        username: 'ops',
        // The one who holds the lock, if anybody does.
        number: -1,
        columns: 512,
        rows: 24,
        from: '192.0.2.10',
        interrupt: () => {},
      })
      session.run('configure terminal')
      for (const line of lines) {
        const { text } = session.run(line)
        if (text !== '') throw new Error(`${spec.name} refused "${line}": ${text.trim()}`)
      }
      session.run('end')
    },
    pretend(work) {
      const { config, installed } = state
      const saved = state.saved
      state.config = copyConfig(config)
      try {
        return work()
      } finally {
        Object.assign(state, { config, saved })
        state.changed()
        state.installed = installed
      }
    },
    lock(by) {
      if (by !== undefined) state.lockedBy = -1
      else if (state.lockedBy === -1) state.lockedBy = undefined
    },
    refuseSave(text) {
      state.saveRefusal = text
    },
    expireTimer: () => false,
    reboot() {
      state.config = copyConfig(state.saved)
      state.lockedBy = undefined
      state.changed()
    },
    logLine: () =>
      `${settings.clock.now().toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ')} BGP: [VTCF0-ZHP6C] bgp_update_receive: rcvd End-of-RIB`,
    announced: () => announcedBy(state),
    learn(routes) {
      state.learnt = routes
    },
    onChange(listener) {
      state.listener = listener
    },
    stop() {},
  }
  model.setByHand(spec.extra)
  state.saved = copyConfig(state.config)
  return model
}
