// From the first byte of a shell to the platform's prompt: what `platform.open` says is typed, step by step. Knows no SSH.

import type { Clock } from './clock.ts'
import { AgentError, lastOutputMax } from './errors.ts'
import type { Context, Facts, OpenAction, Platform, Seen } from './platform.ts'
import type { Secret } from './secrets.ts'
import type { Screen } from './terminal-screen.ts'
import type { Transcript } from './transcript.ts'

/** What an opening runs on. */
export interface OpeningOptions {
  readonly platform: Platform
  readonly nonce: string
  /** What the inventory says of the device. */
  readonly facts: Facts
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

/** Most characters of one step: what a device greets with, or answers to a line of the opening. */
const openingMax = 64 * 1024

interface Stage {
  readonly options: OpeningOptions
  stage: string
  facts: Facts
  host: string
  steps: number
  over: boolean
  cancel: () => void
  resolve(opened: { readonly seen: Seen; readonly context: Context }): void
  reject(error: unknown): void
}

/** Begins: the device speaks first. */
export function beginOpening(options: OpeningOptions): Opening {
  const nothing = (): void => undefined
  const at: Stage = {
    options,
    stage: 'start',
    facts: options.facts,
    host: '',
    steps: 0,
    over: false,
    cancel: nothing,
    resolve: nothing,
    reject: nothing,
  }
  const opened = new Promise<{ readonly seen: Seen; readonly context: Context }>((yes, no) => {
    at.resolve = yes
    at.reject = no
  })
  arm(at)
  return {
    opened,
    received() {
      if (at.over) return
      if (options.screen.length() > openingMax) {
        const found = `more than ${openingMax} characters came (${at.stage})`
        refuse(at, 'too_much_output', `${found}, and no prompt of ${options.platform.name} in them`)
        return
      }
      const { stage, facts, host } = at
      const text = options.screen.text()
      try {
        const action = options.platform.open({ stage, text, nonce: options.nonce, facts, host })
        if (action !== undefined) act(at, action)
      } catch (error) {
        finish(at, error)
      }
    },
    lost(error) {
      if (!at.over) finish(at, error)
    },
  }
}

function act(at: Stage, action: OpenAction): void {
  const { enable } = at.options
  switch (action.do) {
    case 'send':
      at.facts = { ...at.facts, ...action.facts }
      at.host = action.host ?? at.host
      type(at, { text: action.text, shown: action.text, next: action.next })
      return
    case 'enable':
      if (enable === undefined) {
        const found = 'the device asks for the secret of privileged mode'
        refuse(
          at,
          'enable_refused',
          `${found}, the inventory names none (\`enable: { passwordEnv }\`)`,
        )
        return
      }
      type(at, { text: enable.reveal(), shown: '[redacted]', next: action.next })
      return
    case 'refuse':
      refuse(at, action.code, action.reason)
      return
    case 'ready':
      ready(at, action)
  }
}

function ready(at: Stage, action: Extract<OpenAction, { do: 'ready' }>): void {
  const { platform, screen, transcript, enable, nonce } = at.options
  const seen: Seen = {
    host: action.host ?? at.host,
    nonce,
    facts: { ...at.facts, ...action.facts },
  }
  const text = screen.text()
  if (platform.prompt(seen)(text) === undefined) {
    const found = clean(text, enable).slice(-80)
    refuse(at, 'no_prompt', `${platform.name} has no meaning for this prompt: ${found}`)
    return
  }
  transcript.received(clean(text, enable))
  screen.reset(text.slice(text.lastIndexOf('\n') + 1))
  finish(at)
  at.resolve({ seen, context: action.context })
}

function type(
  at: Stage,
  { text, shown, next }: { readonly text: string; readonly shown: string; readonly next: string },
): void {
  const { screen, transcript, enable, platform } = at.options
  transcript.received(clean(screen.text(), enable))
  transcript.sent(shown)
  screen.reset('')
  at.stage = next
  at.steps += 1
  if (at.steps > stepsMax) {
    refuse(at, 'no_prompt', `no prompt after ${stepsMax} lines (${at.stage})`)
    return
  }
  arm(at)
  at.options.write(text + platform.newline)
}

function arm(at: Stage): void {
  const { clock, deadlineMs, platform } = at.options
  at.cancel()
  at.cancel = clock.after(deadlineMs, () => {
    refuse(at, 'no_prompt', `no prompt of ${platform.name} within ${deadlineMs} ms (${at.stage})`)
  })
}

function refuse(at: Stage, code: AgentError['code'], message: string): void {
  const { transcript, screen, enable } = at.options
  transcript.received(clean(screen.text(), enable))
  finish(at, new AgentError(code, message, { lastOutput: lastOutput(at.options) }))
}

function finish(at: Stage, error?: unknown): void {
  at.over = true
  at.cancel()
  if (error !== undefined) at.reject(error)
}

function lastOutput(options: OpeningOptions): string {
  return options.platform.redact(clean(options.screen.text(), options.enable)).slice(-lastOutputMax)
}

/** A device that echoes the secret after all must not bring it into the transcript. */
function clean(text: string, secret: Secret | undefined): string {
  return secret === undefined ? text : text.replaceAll(secret.reveal(), '[redacted]')
}
