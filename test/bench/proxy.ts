// A long line between a client and a device: a TCP proxy that holds every byte back for half a round trip each way, and counts the round trips.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { machineMs } from './processes.ts'

/** How much was said over a proxy. */
export interface Traffic {
  /**
   * Times that the client sent something after it had received something: it waited for the device once each.
   * Everything that goes out until the next byte comes in is one.
   */
  readonly roundTrips: number
  readonly bytesToDevice: number
  readonly bytesToClient: number
}

/** A proxy that listens. */
export interface Proxy {
  readonly port: number
  /** Since the last `reset`, over all connections; round trips that began later than `until`, in ms of the machine, are not counted. */
  traffic(until?: number): Traffic
  reset(): void
  stop(): Promise<void>
}

interface Counter {
  /** When each round trip began. */
  began: number[]
  bytesToDevice: number
  bytesToClient: number
}

/** Listens on a free port of 127.0.0.1 and leads to a device. Opening a connection costs a round trip as well, as with TCP itself. */
export async function startProxy(to: {
  readonly host: string
  readonly port: number
  readonly roundTripMs: number
}): Promise<Proxy> {
  const counter: Counter = { began: [], bytesToDevice: 0, bytesToClient: 0 }
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (client) => {
    const device = connect({ host: to.host, port: to.port, noDelay: true })
    for (const socket of [client, device]) {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      socket.on('error', () => undefined)
    }
    lead({ client, device, counter, roundTripMs: to.roundTripMs })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  return {
    port: address.port,
    traffic(until = Number.POSITIVE_INFINITY) {
      const { began, ...bytes } = counter
      return { roundTrips: began.filter((at) => at <= until).length, ...bytes }
    },
    reset: () => Object.assign(counter, { began: [], bytesToDevice: 0, bytesToClient: 0 }),
    async stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function lead(way: {
  readonly client: Socket
  readonly device: Socket
  readonly counter: Counter
  readonly roundTripMs: number
}): void {
  const { client, device, counter, roundTripMs } = way
  let heard = true
  const toDevice = line(device, roundTripMs / 2)
  // The answer to the client's SYN would come a round trip after it; here it came at once, so the first words are late instead.
  const opened = performance.now()
  const toClient = line(client, roundTripMs / 2, opened + roundTripMs)
  client.on('data', (bytes) => {
    if (heard) counter.began.push(machineMs())
    heard = false
    counter.bytesToDevice += bytes.length
    toDevice.send(bytes)
  })
  device.on('data', (bytes) => {
    counter.bytesToClient += bytes.length
    toClient.send(bytes, () => {
      heard = true
    })
  })
  client.once('close', () => toDevice.end())
  device.once('close', () => toClient.end())
}

interface Late {
  readonly at: number
  readonly bytes: Buffer | undefined
  readonly arrived: (() => void) | undefined
}

/** One direction: bytes arrive in order, each so much later. */
function line(
  to: Socket,
  lateMs: number,
  notBefore = 0,
): { send(bytes: Buffer, arrived?: () => void): void; end(): void } {
  const queue: Late[] = []
  let armed = false
  const deliver = (): void => {
    armed = false
    // A timer may be early by a fraction of its millisecond; what is due within it goes too.
    const now = performance.now() + 0.25
    for (let first = queue[0]; first !== undefined && first.at <= now; first = queue[0]) {
      queue.shift()
      first.arrived?.()
      if (first.bytes === undefined) to.end()
      else if (to.writable) to.write(first.bytes)
    }
    arm()
  }
  const arm = (): void => {
    const [first] = queue
    if (first === undefined || armed) return
    armed = true
    // Timers count whole milliseconds and come late rather than early.
    setTimeout(deliver, Math.max(0, Math.floor(first.at - performance.now())))
  }
  const put = (bytes: Buffer | undefined, arrived: (() => void) | undefined): void => {
    const at = Math.max(performance.now() + lateMs, notBefore)
    if (lateMs === 0) {
      arrived?.()
      if (bytes === undefined) to.end()
      else if (to.writable) to.write(bytes)
      return
    }
    queue.push({ at, bytes, arrived })
    arm()
  }
  return {
    send: (bytes, arrived) => put(bytes, arrived),
    end: () => put(undefined, undefined),
  }
}
