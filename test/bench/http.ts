// The API as a program would use it: connections that are kept open, and a pause where the controller asks for one. Plain node:http, so that the client's own time is as small as can be.

import { Agent, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'

/** A client with a token. */
export interface Api {
  /** One call; rejects with the answer's text where it is no success. A 503 is tried again. */
  call<T>(method: string, path: string, body?: unknown, idempotencyKey?: string): Promise<T>
  /** How often the controller had too much to do. */
  readonly busy: number
  close(): void
}

interface Answer {
  readonly status: number
  readonly text: string
}

/** Pause before a call that was refused for load is tried again, in ms, and how often. */
const againMs = 20
const triesMax = 500

/** A client of one controller, over at most so many connections. */
export function createApi(url: string, token: string, connections = 1): Api {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, noDelay: true })
  let busy = 0
  const send = (asked: {
    readonly method: string
    readonly path: string
    readonly text: string | undefined
    readonly key: string | undefined
  }): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { method, path, text, key } = asked
      const headers = {
        authorization: `Bearer ${token}`,
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(text === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      }
      const sent = request(new URL(path, url), { method, agent, headers }, (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.once('error', reject)
        response.once('end', () => {
          const status = response.statusCode ?? 0
          resolve({ status, text: Buffer.concat(parts).toString('utf8') })
        })
      })
      sent.once('error', reject)
      sent.end(text)
    })
  return {
    async call<T>(method: string, path: string, body?: unknown, key?: string) {
      const text = body === undefined ? undefined : JSON.stringify(body)
      for (let tries = 1; ; tries++) {
        const answer = await send({ method, path, text, key })
        if (answer.status < 300) return JSON.parse(answer.text) as T
        if (answer.status !== 503 || tries >= triesMax) {
          throw new Error(`${method} ${path}: ${answer.status} ${answer.text.slice(0, 2_000)}`)
        }
        busy += 1
        await pause(againMs)
      }
    },
    get busy() {
      return busy
    },
    close: () => agent.destroy(),
  }
}
