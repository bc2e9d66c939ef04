// The API as a program would use it: one connection, kept open. Plain node:http, so that the client's own time is as small as can be.

import { Agent, request } from 'node:http'

/** A client with a token. */
export interface Api {
  /** One call; rejects with the answer's text where it is no success. */
  call<T>(method: string, path: string, body?: unknown): Promise<T>
  close(): void
}

/** A client of one controller, over so many connections. */
export function createApi(url: string, token: string, connections = 1): Api {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, noDelay: true })
  return {
    call: <T>(method: string, path: string, body?: unknown) =>
      new Promise<T>((resolve, reject) => {
        const text = body === undefined ? undefined : JSON.stringify(body)
        const headers = {
          authorization: `Bearer ${token}`,
          ...(text === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
        }
        const asked = request(new URL(path, url), { method, agent, headers }, (response) => {
          const parts: Buffer[] = []
          response.on('data', (part: Buffer) => parts.push(part))
          response.once('error', reject)
          response.once('end', () => {
            const answer = Buffer.concat(parts).toString('utf8')
            const status = response.statusCode ?? 0
            if (status < 300) resolve(JSON.parse(answer) as T)
            else reject(new Error(`${method} ${path}: ${status} ${answer.slice(0, 2_000)}`))
          })
        })
        asked.once('error', reject)
        asked.end(text)
      }),
    close: () => agent.destroy(),
  }
}
