// Ten thousand decisions at once, to a controller in a process of its own, over real connections.

import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../agent/clock.ts'
import type { EnforcementView } from '../../controller/api/schema.ts'
import { openStore } from '../../controller/store/sqlite.ts'
import { verifyFolder } from '../../controller/store/verify.ts'
import { type StartedController, silentDevice, startController } from '../bench/controller.ts'
import { decisionBody, inventoryFor } from '../bench/decisions.ts'
import { type Answer, type Posted, postPipelined, type Sender } from './pipelined.ts'

const decisions = 10_000
const connections = 250
/** So few that ten thousand exceed it, even on a machine that takes more than a minute for them. */
const requestsPerMinute = 7_000
/** Of those that were refused, how many come again. */
const returning = 2_000
/** Most memory that the controller may take meanwhile, in MiB. */
const rssMibMax = 512
/** Most reads meanwhile: those have a limit of requests too. */
const readsMax = 5_000
/** Whoever sends has its requests counted by address: the rounds come from two, the reads from a third. */
const [firstAddress, secondAddress] = ['127.0.0.2', '127.0.0.3']

let dir: string
let controller: StartedController
let devices: readonly { close(): void }[]
/** Answers to the first round, by the number of the decision. */
let answers: readonly Answer[]
let meanwhile: readonly Reading[]
/** How many of the first round were accepted so far. */
let progress: { accepted: number }

/** A read in the middle of it all. */
interface Reading {
  readonly path: string
  /** Decisions whose acceptance was known when it was sent, and when it was answered. */
  readonly from: number
  readonly to: number
}

const posted = (number: number): Posted => ({
  path: '/v1/enforcements',
  token: controller.token,
  key: `decision-${number}`,
  body: decisionBody(number),
})
const idIn = ({ body }: Answer) => (JSON.parse(body) as EnforcementView).id

/** Sends the decisions with these numbers, so many over each connection; all at once. */
async function send(numbers: readonly number[], perConnection: number, sender: Sender) {
  const runs: (readonly number[])[] = []
  for (let i = 0; i < numbers.length; i += perConnection) {
    runs.push(numbers.slice(i, i + perConnection))
  }
  const answered = runs.map((run) => postPipelined(controller.url, run.map(posted), sender))
  return (await Promise.all(answered)).flat()
}

const readPaths = [
  '/v1/devices',
  '/v1/enforcements?limit=20',
  '/v1/lookup?ip=198.18.3.4',
  '/readyz',
] as const

/** One read over a connection of its own, as of somebody who comes just now: it has to be taken in beside all the others. */
async function statusOf(path: string): Promise<number | undefined> {
  const headers = { authorization: `Bearer ${controller.token}` }
  const sent = request(new URL(path, controller.url), { agent: false, headers }).end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  await once(response.resume(), 'end')
  return response.statusCode
}

/** Reads one thing after the other until told to stop. */
async function readMeanwhile(signal: AbortSignal): Promise<readonly Reading[]> {
  const done: Reading[] = []
  while (!signal.aborted && done.length < readsMax) {
    const path = readPaths[done.length % readPaths.length] ?? readPaths[0]
    const from = progress.accepted
    const status = await statusOf(path)
    if (status !== 200) throw new Error(`a read was answered with ${status}`)
    done.push({ path, from, to: progress.accepted })
  }
  return done
}

/** All enforcements, oldest first, page by page. */
async function listed(): Promise<readonly string[]> {
  const ids: string[] = []
  let cursor: string | undefined
  do {
    const more = cursor === undefined ? '' : `&cursor=${cursor}`
    const response = await fetch(`${controller.url}/v1/enforcements?limit=200${more}`, {
      headers: { authorization: `Bearer ${controller.token}` },
    })
    const page = (await response.json()) as {
      readonly items: readonly EnforcementView[]
      readonly nextCursor?: string
    }
    ids.push(...page.items.map(({ id }) => id))
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return ids.toReversed()
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'nullroute-load-'))
  const [trigger, edge] = [await silentDevice(), await silentDevice()]
  devices = [trigger, edge]
  controller = await startController({
    dir,
    inventory: inventoryFor(trigger.port, edge.port),
    environment: { DEVICE_PASSWORD: 'unused' },
    config: { api: { requestsPerMinute } },
  })
  const done = new AbortController()
  progress = { accepted: 0 }
  const reading = readMeanwhile(done.signal)
  const all = Array.from({ length: decisions }, (_, number) => number)
  answers = await send(all, decisions / connections, {
    localAddress: firstAddress,
    answered({ status }) {
      if (status === 202) progress.accepted += 1
    },
  })
  done.abort()
  meanwhile = await reading
}, 300_000)

afterAll(async () => {
  controller.process.kill('SIGKILL')
  for (const device of devices) device.close()
  await rm(dir, { recursive: true, force: true })
})

describe('ten thousand decisions at once', () => {
  it('are each accepted, or refused with a code and a time to come again', () => {
    const refused = answers.filter(({ status }) => status !== 202)
    const problems = refused.filter(
      ({ status, headers, body }) =>
        headers.get('content-type') !== 'application/problem+json' ||
        !(Number(headers.get('retry-after')) >= 1) ||
        (JSON.parse(body) as { code: string }).code !==
          (status === 429 ? 'rate_limited' : 'overloaded'),
    )

    expect(answers).toHaveLength(decisions)
    expect(problems).toEqual([])
    const statuses = new Set(answers.map(({ status }) => status))
    expect(statuses).toEqual(new Set([202, 429, 503]))
  })

  it('let reads of each kind be answered in between, and none waits for most of them', async ({
    annotate,
  }) => {
    const total = progress.accepted
    // Answered while the answer to some accepted decision was still to come: a read that waits for changes to end is not.
    const between = meanwhile.filter(({ to }) => to < total)
    const longest = Math.max(...meanwhile.map(({ from, to }) => to - from))

    await annotate(`${between.length} reads before the last of ${total} was accepted`)
    await annotate(`at most ${longest} were accepted during one read`)
    expect(new Set(between.map(({ path }) => path))).toEqual(new Set(readPaths))
    expect(longest).toBeLessThan(total / 2)
  })

  it('are in the store in the order in which each connection sent them, none lost, none that was refused', async ({
    annotate,
  }) => {
    const places = new Map((await listed()).map((id, place) => [id, place]))
    const accepted = answers.map((answer) => (answer.status === 202 ? idIn(answer) : undefined))

    expect(places.size).toBe(accepted.filter((id) => id !== undefined).length)
    for (let i = 0; i < decisions; i += decisions / connections) {
      const ids = accepted.slice(i, i + decisions / connections).filter((id) => id !== undefined)
      const stored = ids.map((id) => places.get(id) ?? Number.NaN)
      expect(stored).toEqual(stored.toSorted((one, other) => one - other))
    }
    await annotate(`${places.size} accepted at once`)
  })

  it('are accepted when those that were refused come again, none of them twice', async () => {
    const accepted = new Map(
      answers.flatMap((answer, number) => (answer.status === 202 ? [[number, idIn(answer)]] : [])),
    )
    const again = [...accepted.keys()].slice(0, 500)
    const refused = answers.flatMap(({ status }, number) => (status === 202 ? [] : [number]))
    const all = accepted.size + returning
    let missing = refused.slice(0, returning)
    for (let round = 0; missing.length > 0 && round < 20; round++) {
      const few = missing.slice(0, 1_000)
      const answered = await send(few, 50, { localAddress: secondAddress })
      for (const [i, answer] of answered.entries()) {
        if (answer.status === 202) accepted.set(few[i] ?? Number.NaN, idIn(answer))
      }
      missing = missing.filter((number) => !accepted.has(number))
    }
    const repeated = await send(again, 50, { localAddress: secondAddress })

    expect(missing).toEqual([])
    expect(repeated.map(({ headers }) => headers.get('idempotent-replayed'))).toEqual(
      again.map(() => 'true'),
    )
    expect(repeated.map(idIn)).toEqual(again.map((number) => accepted.get(number)))
    expect(new Set(await listed())).toEqual(new Set(accepted.values()))
    expect(accepted.size).toBe(all)
  }, 300_000)

  it('take no more memory than is allowed, and are there after a kill -9', async ({ annotate }) => {
    const { peakMib } = await controller.cost()
    expect(peakMib).toBeLessThan(rssMibMax)
    await annotate(`at most ${peakMib} MiB`)

    const before = new Set(await listed())
    controller.process.kill('SIGKILL')
    await once(controller.process, 'exit')
    const store = openStore({ dir: controller.data, as: 'controller', clock: systemClock })
    const live = store.read((rows) => rows.live())
    store.close()

    const subjects = new Set(live.map(({ decision }) => JSON.stringify(decision.subject)))
    expect(new Set(live.map(({ id }) => id))).toEqual(before)
    expect(subjects.size).toBe(before.size)
    expect(verifyFolder(controller.data).findings).toEqual([])
  }, 120_000)
})
