import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AgentError } from '../../agent/errors.ts'
import { enter, free, inside, type Line, type Platform } from '../../agent/platform.ts'
import { frr } from '../../agent/platforms/frr/frr.ts'
import { createDialogue } from '../../agent/session-dialogue.ts'
import { nextWindow } from '../../agent/session-window.ts'
import { createScreen } from '../../agent/terminal-screen.ts'
import { createTranscript } from '../../agent/transcript.ts'

/** A dialogue with the other side in the test's hands, and a clock that only the test moves. */
function talk(platform: Platform = frr) {
  let now = 0
  let timers: { readonly at: number; readonly call: () => void }[] = []
  const clock = {
    now: () => new Date(now),
    monotonicMs: () => now,
    after(ms: number, then: () => void) {
      const timer = { at: now + ms, call: then }
      timers.push(timer)
      return () => {
        timers = timers.filter((one) => one !== timer)
      }
    },
  }
  const screen = createScreen(platform.columns)
  screen.reset('edge# ')
  const written: string[] = []
  const errors: AgentError[] = []
  const dialogue = createDialogue(
    {
      platform,
      seen: { host: 'edge', nonce: '', facts: {} },
      screen,
      transcript: createTranscript(clock),
      clock,
      deadlineMs: 1_000,
      write: (text) => void written.push(text),
      close: (error) => void errors.push(error),
    },
    'exec',
  )
  return {
    dialogue,
    written,
    errors,
    come: (text: string): void => {
      screen.write(new TextEncoder().encode(text))
      dialogue.received()
    },
    pass: (ms: number): void => {
      now += ms
      for (const timer of timers.filter((one) => one.at <= now)) {
        timers = timers.filter((one) => one !== timer)
        timer.call()
      }
    },
  }
}

const line = fc.oneof(
  fc.constantFrom('exec', 'config', 'config-router').map((needs) => free('ip route x', needs)),
  fc.constantFrom('exec', 'config', 'config-router').map((needs) => inside('shutdown', needs)),
  fc.constant(enter('router bgp 1', 'config', 'config-router')),
  fc.constant({ ...enter('configure terminal', 'exec', 'config'), free: true }),
  fc.constant(free('show running-config', 'exec')),
  fc.constant(free('x'.repeat(2_000), 'config')),
)

describe('what may go out in one write', () => {
  it('holds a line that is not free only alone, and only in the context that it needs', () => {
    const contexts = fc.constantFrom('exec', 'config', 'config-router')
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), contexts, (lines, context) => {
        const window = nextWindow(lines, 0, { context, platform: frr })
        const bound = window.filter((one) => !one.free)
        if (bound.length > 0) {
          expect(window).toHaveLength(1)
          expect(bound[0]?.needs).toBe(context)
        }
        expect(window.slice(0, -1).some((one) => one.opens !== undefined)).toBe(false)
        const bytes = window.reduce((sum, one) => sum + one.text.length + 1, 0)
        expect(window.length === 1 || bytes <= 3_500).toBe(true)
        expect(window).toEqual(lines.slice(0, window.length))
      }),
    )
  })

  it('may end with the line that enters the change, behind reads at rest', () => {
    const into = enter('configure terminal', 'exec', 'config')
    const platform: Platform = { ...frr, transaction: { kind: 'line', enter: [into], leave: [] } }
    const reads = [free('show a', 'exec'), free('show b', 'exec')]
    const lines: readonly Line[] = [...reads, into, inside('shutdown', 'config')]
    expect(nextWindow(lines, 0, { context: 'exec', platform })).toEqual([...reads, into])
    expect(nextWindow(lines, 0, { context: 'config', platform })).toEqual(reads)
  })
})

describe('a dialogue', () => {
  it('sends nothing behind a refused line that was to open a context', async () => {
    const { dialogue, written, come } = talk()
    const answers = dialogue.run([
      enter('router bgp 64999', 'exec', 'config-router'),
      inside('neighbor 192.0.2.9 shutdown', 'config-router'),
    ])
    come('router bgp 64999\r\nBGP is already running; AS is 64500\r\nedge# ')
    expect((await answers).map((one) => one.refusal?.message)).toEqual([
      'BGP is already running; AS is 64500',
    ])
    expect(written).toEqual(['router bgp 64999\n'])
  })

  it('stops when the device is elsewhere than it should be', async () => {
    const { dialogue, written, come } = talk()
    const answers = dialogue.run([
      enter('router bgp 64500', 'exec', 'config-router'),
      inside('neighbor 192.0.2.9 shutdown', 'config-router'),
    ])
    come('router bgp 64500\r\nedge(config)# ')
    await expect(answers).rejects.toMatchObject({ code: 'unexpected_prompt' })
    expect(written).toHaveLength(1)
  })

  it('says so when the last line left the device elsewhere, though nothing follows', async () => {
    const { dialogue, come } = talk()
    const answers = dialogue.run([enter('router bgp 64500', 'exec', 'config-router')])
    come('router bgp 64500\r\nedge(config)# ')
    await expect(answers).rejects.toMatchObject({ code: 'unexpected_prompt' })
  })

  it('finds the end of an answer of any length, what others print behind it or not', async () => {
    const notice = 'Warning: connecting to bgpd...success!\r\n'
    for (const lines of [0, 10, 2_000]) {
      for (const behind of ['', notice, notice.repeat(400)]) {
        const { dialogue, come } = talk()
        const answers = dialogue.run([free('show log', 'exec')])
        come('show log\r\n')
        for (let line = 0; line < lines; line++) come(`${line} of a long answer\r\n`)
        come(`${behind}edge# \r\n${behind}edge# `)
        const text = (await answers)[0]?.text ?? ''
        expect(text === '' ? 0 : text.split('\n').length).toBe(lines)
      }
    }
  })

  it('answers no question that it does not expect', async () => {
    const { dialogue, written, errors, come, pass } = talk({ ...frr, question: /\[y\/n\]: $/ })
    const answers = dialogue.run([inside('reload', 'exec')])
    come('reload\r\nAre you sure? [y/n]: ')
    pass(300)
    await expect(answers).rejects.toMatchObject({ code: 'unexpected_question' })
    expect(written.at(-1)).toBe(String.fromCharCode(3))
    expect(errors).toHaveLength(1)
  })

  it('takes the middle of an output for no question', async () => {
    const { dialogue, written, come, pass } = talk({ ...frr, question: /\[y\/n\]: $/ })
    const answers = dialogue.run([free('show log', 'exec')])
    come('show log\r\nit asked [y/n]: ')
    pass(100)
    come('and went on\r\nedge# \r\nedge# ')
    expect((await answers)[0]?.text).toBe('it asked [y/n]: and went on')
    expect(written).toEqual(['show log\n\n'])
  })

  it('gives the answer that a line brings along, once', async () => {
    const { dialogue, written, come, pass } = talk()
    const save: Line = {
      ...inside('copy a b', 'exec'),
      replies: [{ question: /\[b\]\? $/, answer: '' }],
    }
    const answers = dialogue.run([save])
    come('copy a b\r\nDestination [b]? ')
    pass(300)
    pass(300)
    come('\r\nedge# ')
    await answers
    expect(written).toEqual(['copy a b\n', '\n'])
  })

  it('turns the pages of a pager, and keeps nothing of it', async () => {
    const { dialogue, written, come, pass } = talk({
      ...frr,
      pager: { sign: /(?:^|\n) --More-- $/, key: ' ' },
    })
    const answers = dialogue.run([free('show a', 'exec')])
    come('show a\r\none\r\n --More-- ')
    pass(300)
    come('\b\b\b\b\b\b\b\b\b\b          \b\b\b\b\b\b\b\b\b\btwo\r\n --More-- ')
    pass(300)
    come('three\r\nedge# \r\nedge# ')
    expect((await answers)[0]?.text).toBe('one\ntwo\nthree')
    expect(written).toEqual(['show a\n\n', ' ', ' '])
  })

  it('believes nothing of what came before an echo, and ends', async () => {
    const { dialogue, written, errors, come } = talk()
    come('Broadcast message\r\n')
    await expect(dialogue.run([free('show a', 'exec')])).rejects.toMatchObject({ code: 'desync' })
    expect(written).toEqual([])
    expect(errors).toHaveLength(1)
  })

  it('gives each line its own time', async () => {
    const { dialogue, come, pass } = talk()
    const answers = dialogue.run([free('show a', 'exec'), free('show b', 'exec')])
    pass(900)
    come('show a\r\none\r\nedge# show b\r\nedge# ')
    pass(900)
    come('\r\nedge# ')
    expect((await answers).map((one) => one.text)).toEqual(['one', ''])

    const late = dialogue.run([free('show c', 'exec')])
    pass(1_100)
    await expect(late).rejects.toMatchObject({ code: 'timeout' })
    await expect(dialogue.run([free('show d', 'exec')])).rejects.toMatchObject({ code: 'timeout' })
  })

  it('ends when the agent is stopped', async () => {
    const { dialogue } = talk()
    const stop = new AbortController()
    const answers = dialogue.run([free('show a', 'exec')], stop.signal)
    stop.abort()
    await expect(answers).rejects.toMatchObject({ code: 'stopped' })
  })
})
