import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { AgentError } from '../../agent/errors.ts'
import { credentialsFor, Secret } from '../../agent/secrets.ts'
import { createTranscript } from '../../agent/transcript.ts'

describe('a secret', () => {
  it('is shown nowhere but to who asks for it', () => {
    const secret = new Secret('hunter2')
    const shown = [
      JSON.stringify({ secret }),
      inspect({ deep: { secret } }),
      secret.toString(),
      inspect(new Error('x', { cause: { secret } })),
    ]
    expect(shown.filter((text) => text.includes('hunter2'))).toEqual([])
    expect(secret.reveal()).toBe('hunter2')
  })

  it.each([
    [{ kind: 'password', passwordEnv: 'MISSING' } as const, 'MISSING'],
    [{ kind: 'agent' } as const, 'SSH_AUTH_SOCK'],
    [{ kind: 'key', privateKeyFile: '/nonexistent/key' } as const, '/nonexistent/key'],
  ])('that is not there is named: %j', async (auth, named) => {
    await expect(credentialsFor(auth, {})).rejects.toMatchObject({
      code: 'credentials_missing',
      message: expect.stringContaining(named),
    })
  })
})

describe('a transcript', () => {
  const clock = {
    now: () => new Date('2026-11-27T10:00:00.000Z'),
    monotonicMs: () => 0,
    after: () => () => undefined,
  }

  it('says what was said when, since the mark', () => {
    const transcript = createTranscript(clock)
    transcript.sent('before')
    transcript.mark()
    transcript.sent('show version')
    transcript.received('a\nb')
    expect(transcript.text()).toBe(
      '2026-11-27T10:00:00.000Z > show version\n2026-11-27T10:00:00.000Z < a\n                         < b\n',
    )
    expect(transcript.bytes()).toBe(15)
  })

  it('keeps the beginning and the end of what is too long', () => {
    const transcript = createTranscript(clock)
    transcript.sent('first')
    for (let i = 0; i < 100; i += 1) transcript.received('x'.repeat(20_000))
    transcript.received('last')
    expect(transcript.text().length).toBeLessThan(600_000)
    expect(transcript.text()).toMatch(/> first\n[^]*characters left out[^]*< last\n$/)
  })
})

describe('what an error keeps of a device’s words', () => {
  it('is the end of them, cut off only when the secrets are out: no half of one is left', () => {
    const said = `hostname a\npassword ${'s'.repeat(3_000)}`
    const redact = (text: string) => text.replace(/password \w+/, 'password [redacted]')
    const error = new AgentError('unknown_output', 'why', { lastOutput: said }).redacted(redact)

    expect(error.lastOutput).toBe('hostname a\npassword [redacted]')
  })

  it('is no more than 2,000 characters', () => {
    const said = `first${'x'.repeat(3_000)}last`
    const error = new AgentError('unknown_output', 'why', { lastOutput: said })

    expect(error.redacted((text) => text).lastOutput).toMatch(/^x{1996}last$/)
  })
})
