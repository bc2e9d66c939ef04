// The people who ask: each decision with an idempotency key, sent again with the same key and body until it is answered, over as many lives of the
// controller as that takes. What was answered is written down here, to be held against what is there later.

import { Agent, request } from 'node:http'
import type { Subject } from './city.ts'
import type { Action } from './plan.ts'

/** A decision that was sent. */
export interface Sent {
  readonly number: number
  readonly key: string
  readonly body: string
  readonly subject: Subject
  readonly ticket: string
  /** The enforcement, once an answer said so. */
  id?: string
  /** Refused for good: its end had passed before it could be accepted. */
  refused?: string
  /** A release of it was answered with 202. */
  released?: true
  /** The last end that was answered with 202, or what it began with. */
  expiresAt?: string
}

/** What is told of each request. */
export interface DeskListener {
  sent(): void
  answered(): void
}

/** The desk. */
export interface Desk {
  readonly sent: ReadonlyMap<number, Sent>
  /** Puts actions behind those that were not answered yet. */
  add(actions: readonly Action[]): void
  readonly open: number
  /** Asks one after the other until all are answered, or the controller is gone. Answers problems: what nobody should be told. */
  work(url: string, listener: DeskListener): Promise<readonly string[]>
  /** Sends a decision again that was answered: it must be the same enforcement. */
  replay(url: string, one: Sent): Promise<readonly string[]>
  call(url: string, method: string, path: string, body?: object): Promise<Answer | undefined>
}

/** An answer; the body is whatever it was. */
export interface Answer {
  readonly status: number
  readonly replayed: boolean
  readonly body: {
    readonly id?: string
    readonly status?: string
    readonly devices?: readonly {
      readonly device: string
      readonly role: string
      readonly status: string
    }[]
    readonly code?: string
    readonly detail?: string
  }
}

const reason = (ticket: string): object => ({ category: 'phishing', summary: 'kits', ticket })

/** Times that a busy controller is asked again, and the pause between. */
const busy = { triesMax: 100, pauseMs: 30 }

/** A desk with a token. */
export function desk(token: string): Desk {
  const sent = new Map<number, Sent>()
  const waiting: Action[] = []

  async function call(
    url: string,
    method: string,
    path: string,
    body?: object,
  ): Promise<Answer | undefined> {
    return exchange({
      url,
      method,
      path,
      token,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  }

  async function decide(
    url: string,
    action: Extract<Action, { kind: 'decide' }>,
    listener: DeskListener,
  ): Promise<readonly string[] | undefined> {
    const one = sent.get(action.number) ?? letter(action)
    sent.set(action.number, one)
    const asked = {
      url,
      method: 'POST',
      path: '/v1/enforcements',
      token,
      body: one.body,
      key: one.key,
    }
    const answer = await exchange(asked, listener)
    if (answer === undefined) return undefined
    if (answer.status === 202 && answer.body.id !== undefined) {
      one.id = answer.body.id
      return []
    }
    // Sent again in a later life, when the end that it asked for had passed.
    if (answer.status === 400 && isPast(one.expiresAt)) one.refused = answer.body.code ?? ''
    else if (answer.status === 422 && isPast(one.expiresAt)) one.refused = answer.body.code ?? ''
    return one.refused === undefined ? [unexpected('decision', one, answer)] : []
  }

  async function release(
    url: string,
    one: Sent,
    listener: DeskListener,
  ): Promise<readonly string[] | undefined> {
    const asked = {
      url,
      method: 'POST',
      path: `/v1/enforcements/${one.id}/release`,
      token,
      body: JSON.stringify({ reason: 'resolved' }),
    }
    const answer = await exchange(asked, listener)
    if (answer === undefined) return undefined
    if (answer.status !== 202) return [unexpected('release', one, answer)]
    one.released = true
    return []
  }

  async function extend(
    url: string,
    about: { readonly one: Sent; readonly endsMs: number },
    listener: DeskListener,
  ): Promise<readonly string[] | undefined> {
    const { one, endsMs } = about
    const expiresAt = new Date(Date.now() + endsMs).toISOString()
    const asked = {
      url,
      method: 'POST',
      path: `/v1/enforcements/${one.id}/extend`,
      token,
      body: JSON.stringify({ expiresAt, reason: 'more time' }),
    }
    const answer = await exchange(asked, listener)
    if (answer === undefined) return undefined
    if (answer.status === 202) one.expiresAt = expiresAt
    // Its end, or a release, may have come first.
    const ended = answer.status === 409 && (one.expiresAt !== undefined || one.released === true)
    return answer.status === 202 || ended ? [] : [unexpected('extension', one, answer)]
  }

  async function perform(
    url: string,
    action: Action,
    listener: DeskListener,
  ): Promise<readonly string[] | undefined> {
    if (action.kind === 'decide') return decide(url, action, listener)
    const one = sent.get(action.of)
    // It was never accepted: there is nothing to release.
    if (one?.id === undefined) return []
    return action.kind === 'release'
      ? release(url, one, listener)
      : extend(url, { one, endsMs: action.endsMs }, listener)
  }

  return {
    sent,
    add: (actions) => void waiting.push(...actions),
    get open() {
      return waiting.length
    },
    async work(url, listener) {
      const problems: string[] = []
      for (let action = waiting[0]; action !== undefined; action = waiting[0]) {
        const found = await perform(url, action, listener)
        if (found === undefined) return problems
        problems.push(...found)
        waiting.shift()
      }
      return problems
    },
    async replay(url, one) {
      const asked = {
        url,
        method: 'POST',
        path: '/v1/enforcements',
        token,
        body: one.body,
        key: one.key,
      }
      const answer = await exchange(asked)
      if (answer === undefined) return [`decision ${one.number}: nobody answered its repetition`]
      const same = answer.status === 202 && answer.replayed && answer.body.id === one.id
      return same
        ? []
        : [
            `decision ${one.number} (${one.id}) was sent again with its key: answered ${answer.status}, replayed: ${answer.replayed}, ${answer.body.id ?? answer.body.code}`,
          ]
    },
    call,
  }
}

function letter(action: Extract<Action, { kind: 'decide' }>): Sent {
  const { number, subject, ticket, endsMs } = action
  const expiresAt = endsMs === undefined ? undefined : new Date(Date.now() + endsMs).toISOString()
  const body = {
    ...(subject.kind === 'customer'
      ? { action: 'suspend', playbook: subject.playbook }
      : { action: 'block' }),
    subject: subjectOf(subject),
    reason: reason(ticket),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
  return {
    number,
    key: `decision-${number}`,
    body: JSON.stringify(body),
    subject,
    ticket,
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
}

function subjectOf(subject: Subject): object {
  switch (subject.kind) {
    case 'customer':
      return { customer: subject.customer }
    case 'prefix':
      return { prefix: subject.prefix }
    case 'port': {
      const [device, port] = subject.place.split(' ')
      return { port: { device, interface: port } }
    }
    case 'neighbor': {
      const [device, address] = subject.place.split(' ')
      return { neighbor: { device, address } }
    }
  }
}

function isPast(time: string | undefined): boolean {
  return time !== undefined && Date.parse(time) <= Date.now()
}

function unexpected(what: string, one: Sent, answer: Answer): string {
  return `the ${what} of decision ${one.number} (${one.id ?? 'no id'}, ${one.body}) was answered with ${answer.status} ${answer.body.code ?? ''}: ${answer.body.detail ?? ''}`
}

interface Asked {
  readonly url: string
  readonly method: string
  readonly path: string
  readonly token: string
  readonly body?: string
  readonly key?: string
}

/** Asks until there is an answer that is not "come again"; undefined where the controller is gone. */
async function exchange(asked: Asked, listener?: DeskListener): Promise<Answer | undefined> {
  for (let tries = 0; ; tries += 1) {
    const answer = await once(asked, listener)
    const again = answer?.status === 503 || answer?.status === 429
    if (!again || tries >= busy.triesMax) return answer
    await new Promise((resolve) => setTimeout(resolve, busy.pauseMs))
  }
}

/** No connection outlives its controller. */
const agent = new Agent({ keepAlive: false })

function once(asked: Asked, listener: DeskListener | undefined): Promise<Answer | undefined> {
  const { url, method, path, token, body, key } = asked
  return new Promise((resolve) => {
    const gone = (): void => resolve(undefined)
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    }
    const asking = request(`${url}${path}`, { method, headers, agent }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (piece: string) => {
        text += piece
      })
      response.on('error', gone)
      response.on('close', () => {
        if (!response.complete) return gone()
        const replayed = response.headers['idempotent-replayed'] === 'true'
        resolve({ status: response.statusCode ?? 0, replayed, body: parse(text) })
        listener?.answered()
      })
    })
    asking.on('error', gone)
    asking.end(body, () => listener?.sent())
  })
}

function parse(text: string): Answer['body'] {
  try {
    return JSON.parse(text) as Answer['body']
  } catch {
    return { detail: text }
  }
}
