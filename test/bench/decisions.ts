// Decisions per second that a controller accepts durably, measured from outside: POST /v1/enforcements over keep-alive connections, each for another
// address, until all are answered. The device that they go to takes connections and never answers, so that only the acceptance is measured.
// Alone: node --import tsx test/bench/decisions.ts [DECISIONS] [CONCURRENCY]

import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type StartedController, silentDevice, startController } from './controller.ts'

/** What was measured. */
export interface DecisionsMeasured {
  readonly decisions: number
  readonly concurrency: number
  readonly perSecond: number
  /** Answer times in ms. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** CPU time of the controller for one decision, in ms: what bounds it on one core. */
  readonly cpuMsEach: number
  readonly peakMib: number
}

/** Decisions that are sent before those that count. */
const warmUpMax = 1_000

/** Starts a controller on an empty data folder, sends so many decisions over so many connections, and ends it. Throws where one is not accepted. */
export async function decisionsPerSecond(load: {
  readonly decisions: number
  readonly concurrency: number
}): Promise<DecisionsMeasured> {
  const dir = await mkdtemp(join(tmpdir(), 'nullroute-decisions-'))
  const [trigger, edge] = [await silentDevice(), await silentDevice()]
  const controller = await startController({
    dir,
    inventory: inventoryFor(trigger.port, edge.port),
    environment: { DEVICE_PASSWORD: 'unused' },
    config: { api: { requestsPerMinute: 1_000_000 } },
  })
  try {
    // The first ones are slower: code is interpreted, then compiled on the other cores, and the device's session is begun.
    const warmUp = Math.min(warmUpMax, load.decisions)
    await sendAll(controller, { first: 0, count: warmUp, concurrency: load.concurrency })
    const before = await controller.cost()
    const start = performance.now()
    const times = await sendAll(controller, {
      first: warmUp,
      count: load.decisions,
      concurrency: load.concurrency,
    })
    const seconds = (performance.now() - start) / 1_000
    const after = await controller.cost()
    const sorted = times.toSorted((one, other) => one - other)
    const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? 0
    return {
      ...load,
      perSecond: Math.round(load.decisions / seconds),
      p50Ms: round(at(0.5)),
      p99Ms: round(at(0.99)),
      cpuMsEach: round((after.cpuMs - before.cpuMs) / load.decisions),
      peakMib: after.peakMib,
    }
  } finally {
    await controller.stop()
    trigger.close()
    edge.close()
    await rm(dir, { recursive: true, force: true })
  }
}

/** An inventory of 256 customers with 256 addresses each behind a trigger and an edge, with budgets that never end. */
export function inventoryFor(triggerPort: number, edgePort: number): object {
  const endless = { ipv4Addresses: 1_000_000_000, ports: 1_000_000, neighbors: 1_000_000 }
  const device = { platform: 'frr', address: '127.0.0.1' }
  return {
    version: 1,
    defaults: {
      knownHosts: 'inventory.yaml',
      username: 'netops',
      auth: { passwordEnv: 'DEVICE_PASSWORD' },
    },
    devices: {
      trigger1: { ...device, port: triggerPort, roles: ['rtbh-trigger'] },
      edge1: { ...device, port: edgePort, roles: ['edge'] },
    },
    customers: Object.fromEntries(
      Array.from({ length: 256 }, (_, i) => [
        `customer${i}`,
        { name: `Customer ${i}`, prefixes: [`198.18.${i}.0/24`] },
      ]),
    ),
    limits: {
      perDecision: { ...endless, ipv6Slash64: 1, customers: 1 },
      perHour: { ...endless, decisions: 1_000_000, customers: 1_000_000 },
    },
  }
}

/** The body of a decision about the address with that number. */
export function decisionBody(number: number): string {
  return JSON.stringify({
    action: 'block',
    subject: { prefix: `198.18.${number & 255}.${(number >> 8) & 255}` },
    reason: { category: 'phishing', summary: `kit number ${number}`, ticket: `ABUSE-${number}` },
  })
}

async function sendAll(
  controller: StartedController,
  load: { readonly first: number; readonly count: number; readonly concurrency: number },
): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.concurrency })
  const times: number[] = []
  let next = load.first
  const end = load.first + load.count
  const worker = async (): Promise<void> => {
    while (next < end) {
      const number = next++
      const start = performance.now()
      const { status, text } = await send(controller, agent, number)
      if (status !== 202) throw new Error(`decision ${number} was answered with ${status}: ${text}`)
      times.push(performance.now() - start)
    }
  }
  await Promise.all(Array.from({ length: load.concurrency }, worker))
  agent.destroy()
  return times
}

async function send(
  controller: StartedController,
  agent: Agent,
  number: number,
): Promise<{ readonly status: number; readonly text: string }> {
  const sent = request(`${controller.url}/v1/enforcements`, {
    method: 'POST',
    agent,
    headers: {
      authorization: `Bearer ${controller.token}`,
      'content-type': 'application/json',
      'idempotency-key': `decision-${number}`,
    },
  })
  sent.end(decisionBody(number))
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  let text = ''
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  await once(response, 'end')
  return { status: response.statusCode ?? 0, text }
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [decisions = 5_000, concurrency = 64] = process.argv.slice(2).map(Number)
  const measured = await decisionsPerSecond({ decisions, concurrency })
  process.stdout.write(`${JSON.stringify(measured, null, 2)}\n`)
}
