// The stream of events of an enforcement: taken up again where it was cut off, also over a restart of the controller.

import { setTimeout } from 'node:timers/promises'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { CliError, type Context, exitCodes } from './context.ts'
import { problem, unreachable } from './faults.ts'

/** One event of an enforcement. */
export interface StreamEvent {
  readonly event: string
  readonly data: unknown
}

/** Where the controller is, and as whom it is asked. */
export interface Controller {
  readonly context: Context
  readonly base: string
  readonly headers: Readonly<Record<string, string>>
}

/** How often a stream that was cut off is taken up again before it is given up: about half a minute. */
const resumesMax = 10
/** Time before a repeat, in ms, doubling up to the longest. */
const retryDelayMs = 200
const retryDelayMsMax = 5_000

/** Whether an error says that no answer came, or that the controller takes none just now: then asking again may help. */
export function isLost(fault: unknown): fault is CliError {
  if (!(fault instanceof CliError)) return false
  return fault.exit === exitCodes.unreachable || fault.detail['status'] === 503
}

/** Waits before a repeat, longer each time; ends at once when interrupted. */
export async function pause(attempt: number, signal: AbortSignal): Promise<void> {
  const ms = Math.min(retryDelayMs * 2 ** (attempt - 1), retryDelayMsMax)
  await setTimeout(ms, undefined, { signal }).catch(() => {
    throw new CliError(exitCodes.interrupted, 'interrupted', 'interrupted')
  })
}

/** Events of an enforcement until it is settled; resumes where it was cut off. */
export async function* follow(
  about: Controller,
  enforcement: string,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent> {
  let last: string | undefined
  for (let attempt = 1; ; attempt++) {
    try {
      for await (const message of stream(about, enforcement, { last, signal })) {
        last = message.id ?? last
        attempt = 1
        yield { event: message.event ?? 'message', data: JSON.parse(message.data) }
        if (message.event === 'settled') return
      }
    } catch (fault) {
      if (fault instanceof Ended) return
      // Whoever follows has just been answered: a controller that is gone is about to come back.
      if (!isLost(fault) || attempt >= resumesMax) throw fault
    }
    if (attempt >= resumesMax) return
    await pause(attempt, signal)
  }
}

/** Nothing more will come. */
class Ended extends Error {
  override readonly name = 'Ended'
}

async function* stream(
  about: Controller,
  enforcement: string,
  from: { readonly last: string | undefined; readonly signal: AbortSignal },
): AsyncGenerator<EventSourceMessage> {
  const { context, base } = about
  const response = await fetch(`${base}/v1/enforcements/${enforcement}/events`, {
    signal: from.signal,
    headers: {
      ...about.headers,
      accept: 'text/event-stream',
      ...(from.last === undefined ? {} : { 'last-event-id': from.last }),
    },
  }).catch((fault: unknown) => {
    throw unreachable(context, base, fault)
  })
  if (response.status === 204) throw new Ended()
  if (!response.ok || response.body === null) {
    throw problem(response.status, await response.text(), base)
  }
  yield* messages(response.body)
}

async function* messages(body: ReadableStream<Uint8Array>): AsyncGenerator<EventSourceMessage> {
  const waiting: EventSourceMessage[] = []
  const parser = createParser({ onEvent: (event) => waiting.push(event) })
  const decoder = new TextDecoder()
  try {
    for await (const chunk of body) {
      parser.feed(decoder.decode(chunk, { stream: true }))
      yield* waiting.splice(0)
    }
  } catch {
    // A cut connection ends this stream; the caller resumes behind the last event.
  }
}
