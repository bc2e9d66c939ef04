// Requests that are all on their way before the first is answered: written one after the other into one connection, answered in that order (RFC 9112, section 9.3.2).

import { once } from 'node:events'
import { connect } from 'node:net'

/** An answer, as far as the tests look. */
export interface Answer {
  readonly status: number
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** One request that changes something. */
export interface Posted {
  readonly path: string
  readonly token: string
  readonly key: string
  readonly body: string
}

/** From where requests come, and who is told of each answer as it comes. */
export interface Sender {
  readonly localAddress?: string
  readonly answered?: (answer: Answer) => void
}

/** Sends all of them at once over one connection; answers in the order of the requests. Throws where the connection ends before. */
export async function postPipelined(
  url: string,
  requests: readonly Posted[],
  { localAddress = '127.0.0.1', answered = () => undefined }: Sender = {},
): Promise<readonly Answer[]> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), localAddress })
  await once(socket, 'connect')
  socket.write(requests.map(textOf).join(''))
  const answers: Answer[] = []
  let bytes = Buffer.alloc(0)
  for await (const chunk of socket) {
    bytes = Buffer.concat([bytes, chunk as Buffer])
    for (let next = firstIn(bytes); next !== undefined; next = firstIn(bytes)) {
      answers.push(next.answer)
      answered(next.answer)
      bytes = bytes.subarray(next.length)
    }
    if (answers.length === requests.length) break
  }
  socket.destroy()
  if (answers.length < requests.length) {
    throw new Error(`${answers.length} of ${requests.length} requests were answered`)
  }
  return answers
}

function textOf({ path, token, key, body }: Posted): string {
  return [
    `POST ${path} HTTP/1.1`,
    'Host: nullroute',
    `Authorization: Bearer ${token}`,
    `Idempotency-Key: ${key}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n')
}

/** The first whole answer in what was received. */
function firstIn(bytes: Buffer): { readonly answer: Answer; readonly length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    }),
  )
  const length = end + 4 + Number(headers.get('content-length') ?? 0)
  if (bytes.length < length) return undefined
  const body = bytes.subarray(end + 4, length).toString('utf8')
  return { answer: { status: Number(first.split(' ')[1]), headers, body }, length }
}
