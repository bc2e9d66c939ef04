// A stop that loses no answer and waits for no idle client: requests under way are answered, then every connection is closed.

import type { Clock } from '../../agent/clock.ts'
import { ControllerError } from '../errors.ts'
import type { Api } from './context.ts'

/** Longest wait for requests that are under way, in ms: longer than a device's agent takes to end, since some wait for that. */
const requestDrainMs = 7_000

/** Makes `app.close()` refuse new requests, end streams, wait for what is being answered and then close all connections, those included over which nothing was ever asked. */
export function stopCleanly(app: Api, clock: Clock, endStreams: () => void): void {
  const underWay = new Set<unknown>()
  let drained: (() => void) | undefined
  let closing = false
  app.addHook('onRequest', async (request, reply) => {
    if (closing) {
      reply.header('connection', 'close')
      throw new ControllerError(
        'stopping',
        'the controller is ending: nothing of this was done, send it again once it has started anew',
      )
    }
    const { raw } = reply
    underWay.add(request)
    const over = (): void => {
      underWay.delete(request)
      if (underWay.size === 0) drained?.()
    }
    // A client that goes away in the middle leaves only a close.
    raw.once('finish', over).once('close', over)
  })
  app.addHook('preClose', async () => {
    closing = true
    endStreams()
    if (underWay.size > 0) {
      await new Promise<void>((resolve) => {
        const cancel = clock.after(requestDrainMs, resolve)
        drained = () => {
          cancel()
          resolve()
        }
      })
    }
    // Once it no longer listens: a browser may hold connections open that it has not used yet.
    setImmediate(() => app.server.closeAllConnections())
  })
}
