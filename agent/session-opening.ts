// From the first byte of a shell to the platform's prompt: what `platform.open` says is typed, step by step. Knows no SSH.

import type { Clock } from './clock.ts'
import { AgentError } from './errors.ts'
import type { Context, Facts, OpenAction, Platform, Seen } from './platform.ts'
import type { Secret } from './secrets.ts'
import type { Screen } from './terminal-screen.ts'
import type { Transcript } from './transcript.ts'

/** What an opening runs on. */
export interface OpeningOptions {
  readonly platform: Platform
  readonly nonce: string
  readonly screen: Screen
  readonly transcript: Transcript
  readonly clock: Clock
  /** Longest time for one step, in ms. */
  readonly deadlineMs: number
  /** The secret for privileged mode, where the inventory names one. */
  readonly enable: Secret | undefined
  write(text: string): void
}

/** An opening under way. */
export interface Opening {
  /** Something was written to the screen. */
  received(): void
  lost(error: AgentError): void
  readonly opened: Promise<{ readonly seen: Seen; readonly context: Context }>
}

/** Most steps that an opening may take: a platform's script that goes round in circles is an error, not a loop. */
const stepsMax = 40

/** Begins: the device speaks first. */
export function beginOpening(options: OpeningOptions): Opening {
  const { platform, screen, transcript, clock } = options
  let stage = 'start'
  let facts: Facts = {}
  let host = ''
  let steps = 0
  let over = false
  let cancel = (): void => undefined
  let resolve: (opened: { seen: Seen; context: Context }) => void = () => undefined
  let reject: (error: unknown) => void = () => undefined
  const opened = new Promise<{ seen: Seen; context: Context }>((yes, no) => {
    resolve = yes
    reject = no
  })

  const finish = (error?: unknown): void => {
    over = true
    cancel()
    if (error !== undefined) reject(error)
  }
  const refuse = (code: AgentError['code'], message: string): void => {
    transcript.received(clean(screen.text(), options.enable))
    finish(new AgentError(code, message, { lastOutput: lastOutput(options) }))
  }
  const arm = (): void => {
    cancel()
    cancel = clock.after(options.deadlineMs, () => {
      refuse(
        'no_prompt',
        `no prompt of ${platform.name} within ${options.deadlineMs} ms (${stage})`,
      )
    })
  }
  const type = (text: string, shown: string, next: string): void => {
    transcript.received(clean(screen.text(), options.enable))
    transcript.sent(shown)
    screen.reset('')
    stage = next
    steps += 1
    if (steps > stepsMax) return refuse('no_prompt', `no prompt after ${stepsMax} lines (${stage})`)
    arm()
    options.write(text + platform.newline)
  }
  const act = (action: OpenAction): void => {
    switch (action.do) {
      case 'send':
        facts = { ...facts, ...action.facts }
        host = action.host ?? host
        return type(action.text, action.text, action.next)
      case 'enable':
        if (options.enable === undefined) {
          return refuse(
            'enable_refused',
            'the device asks for the secret of privileged mode; the inventory names none (`enable: { passwordEnv }`)',
          )
        }
        return type(options.enable.reveal(), '[redacted]', action.next)
      case 'refuse':
        return refuse(action.code, action.reason)
      case 'ready': {
        const seen: Seen = {
          host: action.host ?? host,
          nonce: options.nonce,
          facts: { ...facts, ...action.facts },
        }
        const text = screen.text()
        if (platform.prompt(seen)(text) === undefined) {
          return refuse(
            'no_prompt',
            `${platform.name} has no meaning for this prompt: ${text.slice(-80)}`,
          )
        }
        transcript.received(clean(text, options.enable))
        screen.reset(text.slice(text.lastIndexOf('\n') + 1))
        finish()
        resolve({ seen, context: action.context })
      }
    }
  }

  arm()
  return {
    opened,
    received() {
      if (over) return
      const text = screen.text()
      try {
        const action = platform.open({ stage, text, nonce: options.nonce, facts, host })
        if (action !== undefined) act(action)
      } catch (error) {
        finish(error)
      }
    },
    lost(error) {
      if (!over) finish(error)
    },
  }
}

function lastOutput(options: OpeningOptions): string {
  return clean(options.screen.text(), options.enable).slice(-2_000)
}

/** A device that echoes the secret after all must not bring it into the transcript. */
function clean(text: string, secret: Secret | undefined): string {
  return secret === undefined ? text : text.replaceAll(secret.reveal(), '[redacted]')
}
