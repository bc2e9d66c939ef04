import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AgentError } from '../../agent/errors.ts'
import { enter, free, inside, type Line, type Platform } from '../../agent/platform.ts'
import { cisco_ios } from '../../agent/platforms/cisco_ios/cisco_ios.ts'
import { frr } from '../../agent/platforms/frr/frr.ts'
import { createDialogue } from '../../agent/session-dialogue.ts'
import { nextWindow } from '../../agent/session-window.ts'
import { createScreen } from '../../agent/terminal-screen.ts'
import { createTranscript } from '../../agent/transcript.ts'

/** A dialogue with the other side in the test's hands, and a clock that only the test moves. */
function talk(platform: Platform = frr, prompt = 'edge# ') {
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
  screen.reset(prompt)
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
    held: () => screen.length(),
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

  it('takes an answer of sixteen million characters, and none that is longer', async () => {
    const { dialogue, errors, come } = talk()
    const part = `${'x'.repeat(1_023)}\r\n`.repeat(512)
    const answers = dialogue.run([free('show log', 'exec')])
    come('show log\r\n')
    for (let parts = 0; parts < 31; parts++) come(part)
    come('edge# \r\nedge# ')
    expect((await answers)[0]?.text.length).toBeGreaterThan(16_000_000)

    const endless = dialogue.run([free('show log', 'exec')])
    come('show log\r\n')
    for (let parts = 0; parts < 40 && errors.length === 0; parts++) come(part)
    expect(errors).toHaveLength(1)
    await expect(endless).rejects.toMatchObject({ code: 'too_much_output' })
  })

  it('reads an answer that seems to end over and over only so often', async () => {
    const { dialogue, errors, come } = talk()
    const endless = dialogue.run([free('show log', 'exec')])
    come('show log\r\n')
    // The beginning is long, so that few parts are needed.
    come(`${'x'.repeat(1_022)}\r\n`.repeat(12_000))
    for (let parts = 0; parts < 200 && errors.length === 0; parts++) come('x\r\nedge# ')
    expect(errors).toHaveLength(1)
    await expect(endless).rejects.toMatchObject({ code: 'too_much_output' })
  })
})

describe('a session at rest', () => {
  const logLine = '*Nov 27 10:00:00.128: %LINK-3-UPDOWN: Interface Gi0/9, changed state to up\r\n'

  it('ends for what answers nothing when the next line is to go out, and sends nothing', async () => {
    const { dialogue, written, errors, come } = talk()
    come('somebody says something\r\nedge# ')
    expect(errors).toEqual([])
    const asked = dialogue.run([free('show a', 'exec')])
    expect(written).toEqual([])
    await expect(asked).rejects.toMatchObject({ code: 'desync' })
    expect(errors).toHaveLength(1)
  })

  it('ends by itself once there is a lot of it', () => {
    const { dialogue, errors, come } = talk()
    const said = '2026/11/27 10:00:00 BGP: [VTCF0-ZHP6C] bgp_update_receive\r\nedge# '
    let came = 0
    for (; errors.length === 0 && came < 1_000_000; came += said.length) come(said)
    expect(errors.map(({ code }) => code)).toEqual(['desync'])
    expect(dialogue.ended()?.code).toBe('desync')
    expect(came).toBeLessThan(70_000)
  })

  it.each([
    ['prompts', 'edge# \r\n'],
    ['blank lines', '\r\n'],
    ['what moves the cursor', `${String.fromCharCode(27)}[510C \r\n`],
  ])('holds no more than so much of %s', (_, said) => {
    const { errors, held, come } = talk()
    for (let came = 0; errors.length === 0 && came < 1_000_000; came += said.length) come(said)
    expect(held()).toBeLessThan(70_000)
  })

  it('forgets known log lines and new prompts, however many come, and goes on', async () => {
    const { dialogue, errors, held, come } = talk(cisco_ios, 'edge#')
    for (let lines = 0; lines < 5_000; lines++) {
      come(`\r\n${logLine}`)
      expect(held()).toBeLessThan(70_000)
    }
    expect(errors).toEqual([])
    const answers = dialogue.run([free('show a', 'exec')])
    come('show a\r\none\r\nedge#\r\nedge#')
    expect((await answers).map((one) => one.text)).toEqual(['one'])
  })
})
