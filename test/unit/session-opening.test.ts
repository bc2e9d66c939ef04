import { describe, expect, it } from 'vitest'
import { AgentError } from '../../agent/errors.ts'
import type { Platform } from '../../agent/platform.ts'
import { frr } from '../../agent/platforms/frr/frr.ts'
import { beginOpening } from '../../agent/session-opening.ts'
import { createScreen } from '../../agent/terminal-screen.ts'
import { createTranscript } from '../../agent/transcript.ts'

/** An opening with the device in the test's hands. */
function open(platform: Platform = frr) {
  const clock = {
    now: () => new Date(0),
    monotonicMs: () => 0,
    after: () => () => undefined,
  }
  const screen = createScreen(platform.columns)
  const written: string[] = []
  let end: unknown
  const opening = beginOpening({
    platform,
    nonce: '1a2b3c4d',
    facts: {},
    screen,
    transcript: createTranscript(clock),
    clock,
    deadlineMs: 1_000,
    enable: undefined,
    write: (text) => void written.push(text),
  })
  return {
    written,
    held: () => screen.length(),
    /** The session, or why there is none; undefined while neither is certain. */
    ended: async () => {
      await opening.opened.then(
        (session) => void (end = session),
        (error: unknown) => void (end = error),
      )
      return end
    },
    come: (text: string): void => {
      screen.write(new TextEncoder().encode(text))
      opening.received()
    },
  }
}

const greeting = '\r\nHello, this is FRRouting (version 10.3).\r\n\r\nedge# '
const motd = `${'*'.repeat(70)}\r\n`

describe('the opening of a session', () => {
  it('reads over a long greeting', () => {
    const { written, come } = open()
    for (let lines = 0; lines < 800; lines++) come(motd)
    come(greeting)
    expect(written).toHaveLength(1)
  })

  it('ends with a greeting that does not end', async () => {
    const { written, held, ended, come } = open()
    for (let lines = 0; lines < 1_000; lines++) come(motd)
    expect(held()).toBeLessThan(80_000)
    const error = await ended()
    expect(error).toBeInstanceOf(AgentError)
    expect(error).toMatchObject({ code: 'too_much_output' })
    expect(written).toEqual([])
  })

  it('ends with an answer to one of its lines that does not end', async () => {
    const { written, ended, come } = open()
    come(greeting)
    for (let lines = 0; lines < 1_000; lines++) come(motd)
    expect(await ended()).toMatchObject({ code: 'too_much_output' })
    expect(written).toHaveLength(1)
  })

  it('ends where the script of a platform goes round in circles', async () => {
    const again = () => ({ do: 'send', text: 'again', next: 'again' }) as const
    const { written, ended, come } = open({ ...frr, open: again })
    for (let steps = 0; steps < 100; steps++) come('edge# ')
    expect(written).toHaveLength(40)
    expect(await ended()).toMatchObject({ code: 'no_prompt' })
  })
})
