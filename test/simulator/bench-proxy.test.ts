// The long line of the benches: what it holds back, and what it counts.

import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Proxy, startProxy } from '../bench/proxy.ts'

let server: Server
let proxy: Proxy
let client: Socket

/** A device that answers each `?` with `!`, and sends nothing by itself. */
beforeEach(async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => socket.write('!'.repeat(bytes.toString().split('?').length - 1)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
})

afterEach(async () => {
  client.destroy()
  await proxy.stop()
  server.close()
})

async function meet(roundTripMs: number): Promise<void> {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  proxy = await startProxy({ host: '127.0.0.1', port: address.port, roundTripMs })
  client = connect({ host: '127.0.0.1', port: proxy.port, noDelay: true })
  await once(client, 'connect')
}

async function answers(wanted: number): Promise<string> {
  let text = ''
  while (text.length < wanted) {
    const [bytes] = (await once(client, 'data')) as [Buffer]
    text += bytes.toString()
  }
  return text
}

describe.each([0, 20])('a line of %d ms', (roundTripMs) => {
  it('brings everything, in order', async () => {
    await meet(roundTripMs)

    client.write('?'.repeat(5_000))

    expect(await answers(5_000)).toBe('!'.repeat(5_000))
    expect(proxy.traffic()).toMatchObject({ bytesToDevice: 5_000, bytesToClient: 5_000 })
  })

  it('counts a round trip each time that the client had waited', async () => {
    await meet(roundTripMs)

    for (let asked = 0; asked < 3; asked++) {
      client.write('?')
      await answers(1)
    }

    expect(proxy.traffic().roundTrips).toBe(3)
    proxy.reset()
    expect(proxy.traffic().roundTrips).toBe(0)
  })
})

it('counts what goes out before anything came back as one', async () => {
  await meet(60)

  client.write('?')
  await new Promise((resolve) => setImmediate(resolve))
  client.write('?')
  await answers(2)

  expect(proxy.traffic().roundTrips).toBe(1)
})
