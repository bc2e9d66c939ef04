// A stop that loses no answer and waits for no idle client: requests under way are answered, then every connection is closed.

import type { Clock } from '../../agent/clock.ts'
import type { Api } from './context.ts'

/** Longest wait for requests that are under way, in ms. */
const drainMs = 5_000

/** Makes `app.close()` end streams, wait for what is being answered and then close all connections, those included over which nothing was ever asked. */
export function stopCleanly(app: Api, clock: Clock, endStreams: () => void): void {
  const underWay = new Set<unknown>()
  let drained: (() => void) | undefined
  app.addHook('onRequest', async (request, { raw }) => {
    underWay.add(request)
    const over = (): void => {
      underWay.delete(request)
      if (underWay.size === 0) drained?.()
    }
    // A client that goes away in the middle leaves only a close.
    raw.once('finish', over).once('close', over)
  })
  app.addHook('preClose', async () => {
    endStreams()
    if (underWay.size > 0) {
      await new Promise<void>((resolve) => {
        const cancel = clock.after(drainMs, resolve)
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
