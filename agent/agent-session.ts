// The warm session of one agent: opened when it is needed, closed when it was idle for long enough, reported when it goes.

import type { Device, Jump } from '../inventory/model.ts'
import type { Clock } from './clock.ts'
import { AgentError } from './errors.ts'
import type { Journal } from './journal.ts'
import type { Platform } from './platform.ts'
import type { Environment } from './secrets.ts'
import { type OpenSession, openSession, type Session } from './session.ts'

/** What sessions are opened with. */
export interface WarmOptions {
  readonly device: Device
  readonly jump?: Jump
  readonly platform: Platform
  readonly journal: Journal
  readonly clock: Clock
  readonly environment: Environment
  readonly signal: AbortSignal
  /** What opens sessions; SSH where nothing is given. */
  readonly openSession?: OpenSession
  /** The connection went by itself: `isLogOut` where the device ended it in good order. */
  lost(isLogOut: boolean): void
}

/** One session that is kept, and others beside it. */
export interface Warm {
  get(): Promise<Session>
  another(): Promise<Session>
  readonly connected: boolean
  /** Something is under way: it isn't idle. */
  busy(): void
  /** Nothing is under way: closed after the device's `sessionIdleMs`. */
  idle(): Promise<void>
  close(): Promise<void>
}

/** Keeps no session yet. */
export function createWarm(options: WarmOptions): Warm {
  const { device, journal, clock } = options
  let current: Session | undefined
  let cancelIdle = (): void => undefined

  const open = opener(options)

  const gone = (session: Session, reason: AgentError | undefined): void => {
    if (current !== session) return
    current = undefined
    cancelIdle()
    if (reason !== undefined && reason.code !== 'stopped') {
      const { code, message } = reason
      journal.session({ kind: 'lost', code, message }).catch(() => undefined)
    }
    options.lost(reason === undefined)
  }

  /** Whoever asks once it has failed would only hear of a fault that was another's; nor may a third session be opened beside one that the device still counts. */
  const outlast = async (session: Session): Promise<void> => {
    await session.close()
    gone(session, session.fault)
  }

  const close = async (): Promise<void> => {
    cancelIdle()
    const session = current
    current = undefined
    await session?.close()
  }

  return {
    async get() {
      if (current?.fault !== undefined) await outlast(current)
      if (current !== undefined) return current
      const session = await open()
      current = session
      void session.closed.then((reason) => gone(session, reason))
      await journal.session({
        kind: 'connected',
        hostKey: session.hostKey,
        software: session.seen.facts['version'],
      })
      return session
    },
    another: open,
    get connected() {
      return current !== undefined && current.fault === undefined
    },
    busy: () => cancelIdle(),
    async idle() {
      cancelIdle()
      if (device.sessionIdleMs === 0) return await close()
      cancelIdle = clock.after(device.sessionIdleMs, () => void close())
    },
    close,
  }
}

/** Opens sessions; a device that is off for a week is one event, not one for each try. */
function opener(options: WarmOptions): () => Promise<Session> {
  const open = options.openSession ?? openSession
  let fault: string | undefined
  return async () => {
    try {
      const session = await open(options)
      fault = undefined
      return session
    } catch (error) {
      if (error instanceof AgentError && error.code !== 'stopped' && error.code !== fault) {
        const { code, message } = error
        const kind = code === 'unreachable' ? 'lost' : 'refused'
        // What can't be written must not take the place of why: that says whether it may be tried again.
        await options.journal.session({ kind, code, message }).then(
          () => {
            fault = code
          },
          () => undefined,
        )
      }
      throw error
    }
  }
}
