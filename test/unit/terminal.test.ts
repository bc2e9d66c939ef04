import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { free, type Line, type Seen } from '../../agent/platform.ts'
import { frr } from '../../agent/platforms/frr/frr.ts'
import { linux } from '../../agent/platforms/linux/linux.ts'
import { type Batch, createTerminal, type Split, type Terminal } from '../../agent/terminal.ts'
import { createScreen } from '../../agent/terminal-screen.ts'

const fixtures = new URL('../fixtures/', import.meta.url)
const seen: Seen = { host: 'edge', nonce: '7f3a', facts: {} }
const terminal = createTerminal(frr, seen)

/** Texts for which a terminal splits the same whatever came in one packet: the answer may only be complete at the last byte. */
function splitByteByByte(text: string, lines: readonly Line[], sentinel: boolean): Split {
  const screen = createScreen(511)
  const bytes = new TextEncoder().encode(text)
  const batch = { lines, sentinel, lead: 'edge# ' }
  let last: Split = { kind: 'incomplete', answered: 0, from: 0 }
  for (const [i, byte] of bytes.entries()) {
    screen.write(Uint8Array.of(byte))
    if (terminal.promptAtEnd(screen.text()) === undefined) continue
    last = terminal.split(screen.text(), batch)
    if (last.kind === 'complete' && i < bytes.length - 1) {
      throw new Error(`complete at byte ${i} of ${bytes.length}`)
    }
  }
  return last
}

const config = (text: string): Line => free(text, 'config')
const read = (text: string): Line => free(text, 'exec')

describe('the answers of a device that echoes', () => {
  it('end at a prompt that the echo of the next line follows', () => {
    const split = splitByteByByte(
      'edge# show a\r\none\r\nedge# \r\ntwo\r\nedge# show b\r\nthree\r\nedge# \r\nedge# ',
      [read('show a'), read('show b')],
      true,
    )

    expect(split).toEqual({
      kind: 'complete',
      pieces: [
        { text: 'one\nedge# \ntwo', context: 'exec' },
        { text: 'three', context: 'exec' },
      ],
      last: 'edge# ',
    })
  })

  it('may hold what looks like a prompt at the very end of a packet', () => {
    const text = 'edge# show a\r\n description edge# \r\nedge# \r\nrest\r\nedge# \r\nedge# '
    const split = splitByteByByte(text, [read('show a')], true)
    expect(split.kind === 'complete' && split.pieces[0]?.text).toBe(
      ' description edge# \nedge# \nrest',
    )
  })

  it('leave out the second echo of a line that was typed ahead', () => {
    const text =
      'edge# show a\r\nip route 203.0.1show running-config\r\n13.9/32\r\nedge# show running-config\r\nx\r\nedge# \r\nedge# '
    const split = splitByteByByte(text, [read('show a'), read('show running-config')], true)
    expect(split.kind === 'complete' && split.pieces.map((piece) => piece.text)).toEqual([
      'ip route 203.0.113.9/32',
      'x',
    ])
  })

  it('leave out a whole block of second echoes, the empty line behind it too', () => {
    // vtysh 8.4.4, typed ahead while it printed.
    const text =
      'edge# show running-config\r\nCurrent configuration:\r\n!\r\nshow version\r\nshow interface\r\n\r\nfrr version 8.4.4\r\nedge# show version\r\nx\r\nedge# show interface\r\ny\r\nedge# \r\nedge# '
    const lines = [read('show running-config'), read('show version'), read('show interface')]
    const split = splitByteByByte(text, lines, true)
    expect(split.kind === 'complete' && split.pieces.map((piece) => piece.text)).toEqual([
      'Current configuration:\n!\nfrr version 8.4.4',
      'x',
      'y',
    ])
  })

  it('leave out second echoes of which the first began in the middle of a line', () => {
    // vtysh 8.4.4 in a batch, 3,500 bytes typed ahead: the kernel took them in two parts.
    const lines = [1, 2, 3, 4].map((n) => config(`ip route 198.19.0.${n}/32 blackhole tag 666`))
    const echoed = lines.map((line) => `${line.text}\n`).join('')
    const first = (lines[0]?.text ?? '').length + 1
    for (let from = first; from < echoed.length; from++) {
      const view = lines
        .map(({ text }, i) => `edge(config)# ${text}\n${i === 0 ? echoed.slice(from) : ''}`)
        .join('')
      const batch = { lines, sentinel: false, lead: 'edge(config)# ' }
      const split = terminal.split(`${view}edge(config)# `, batch)
      expect(split.kind === 'complete' && split.pieces.map((piece) => piece.text)).toEqual(
        lines.map(() => ''),
      )
    }
  })

  it('keep a refusal beside such an echo, and what was read before it', () => {
    const lines = [config('ip route 1.1.1.1/32 blackhole'), config('ip route 2.2.2.2/32 blackhole')]
    const refused = terminal.split(
      'edge(config)# ip route 1.1.1.1/32 blackhole\n% No\nackhole\nedge(config)# ip route 2.2.2.2/32 blackhole\nedge(config)# ',
      { lines, sentinel: false, lead: 'edge(config)# ' },
    )
    const reads = terminal.split(
      'edge# show a\nx\nrunning-config\nshow version\ny\nedge# show running-config\nversion\nedge# show version\nz\nedge# \nedge# ',
      {
        lines: [read('show a'), read('show running-config'), read('show version')],
        sentinel: true,
        lead: 'edge# ',
      },
    )

    expect(refused.kind === 'complete' && refused.pieces.map(({ text }) => text)).toEqual([
      '% No',
      '',
    ])
    expect(reads.kind === 'complete' && reads.pieces.map(({ text }) => text)).toEqual([
      'x\ny',
      'version',
      'z',
    ])
  })

  it('are not believed where other text came before the first echo', () => {
    const text = 'edge# something\r\nedge# show a\r\none\r\nedge# \r\nedge# '
    const split = terminal.split(text.replaceAll('\r', ''), {
      lines: [read('show a')],
      sentinel: true,
      lead: 'edge# ',
    })
    expect(split.kind).toBe('desync')
  })

  it('say in which context each line left the device', () => {
    const text =
      'edge# configure terminal\r\nedge(config)# ip route 203.0.113.9/32 blackhole\r\nedge(config)# '
    const split = splitByteByByte(
      text,
      [config('configure terminal'), config('ip route 203.0.113.9/32 blackhole')],
      false,
    )
    expect(split.kind).toBe('complete')
  })

  it('are the same for any text between echo and prompt', () => {
    const output = fc.stringMatching(/^[ -~]{0,20}(\n[ -~]{0,20}){0,5}$/)
    const lines = [read('show running-config'), read('show version'), read('show interface')]
    fc.assert(
      fc.property(fc.tuple(output, output, output), (outputs) => {
        // What a device prints has no line of ours in it, whole, behind a prompt.
        const body = outputs.map((text) => text.replace(/\s+$/, ''))
        const view = `${lines.map((line, i) => `edge# ${line.text}\n${body[i]}\n`).join('')}edge# \nedge# `
        const split = terminal.split(view, { lines, sentinel: true, lead: 'edge# ' })
        expect(split.kind === 'complete' && split.pieces.map((piece) => piece.text)).toEqual(body)
      }),
    )
  })
})

/** The only answer of a batch, or why there is none, at the last prompt of the text. */
function answerByteByByte(of: Terminal, text: string, batch: Batch): string | undefined {
  const screen = createScreen(511)
  let split: Split = { kind: 'incomplete', answered: 0, from: 0 }
  for (const byte of new TextEncoder().encode(text.replaceAll('\n', '\r\n'))) {
    screen.write(Uint8Array.of(byte))
    if (of.promptAtEnd(screen.text()) !== undefined) split = of.split(screen.text(), batch)
  }
  return split.kind === 'complete' ? split.pieces[0]?.text : split.kind
}

describe('recorded sessions, one byte at a time', () => {
  const whole = /^(?!.*(?:narrow|without_group|user_)).*_raw\.txt$/
  const names = readdirSync(new URL('frr/', fixtures)).filter((name) => whole.test(name))

  it.each(names)('frr: every line of %s gets its own answer', (name) => {
    const text = readFileSync(new URL(`frr/${name}`, fixtures), 'utf8')
    const host = /\n([\w.-]+)# /.exec(text)?.[1] ?? ''
    const typed = new RegExp(`(${host}(?:\\([\\w-]+\\))?# )(.+)$`, 'gm')
    const shown = createScreen(511)
    shown.write(new TextEncoder().encode(text))
    const found = [...shown.text().matchAll(typed)]
    const of = createTerminal(frr, { host, nonce: '', facts: {} })

    const problems = found.slice(0, -1).flatMap((one, i) => {
      const [, lead = '', line = ''] = one
      const next = found[i + 1]?.index ?? 0
      const raw = shown.text().slice(one.index, next + (found[i + 1]?.[1] ?? '').length)
      const answer = answerByteByByte(of, raw, { lead, lines: [config(line)], sentinel: false })
      const expected = shown.text().slice(one.index + lead.length + line.length + 1, next)
      return answer === expected.replace(/\n+$/, '') ? [] : [{ line, answer, expected }]
    })

    expect(found.length).toBeGreaterThan(1)
    expect(problems).toEqual([])
  })

  it.each(['root', 'sudo'])(
    'linux, %s: each answer carries the exit status of its line',
    (user) => {
      const text = readFileSync(
        new URL(`linux/session_enforce_and_release_${user}_raw.txt`, fixtures),
        'utf8',
      )
      const screen = createScreen(linux.columns)
      for (const byte of new TextEncoder().encode(text)) screen.write(Uint8Array.of(byte))
      const nonce = /PS1='nr-(\w+):/.exec(text)?.[1] ?? ''
      const lead = `nr-${nonce}:0> `
      const view = screen
        .text()
        .slice(screen.text().indexOf(`${lead}stty -echo\n`) + lead.length + 11)
      const statuses = [
        ...view.slice(lead.length).matchAll(new RegExp(`nr-${nonce}:(\\d+)> `, 'g')),
      ]
      const lines = statuses.map(() => free('ip route show', 'shell'))

      const split = createTerminal(linux, { host: '', nonce, facts: {} }).split(
        view.slice(0, view.lastIndexOf('> ') + 2),
        { lines, sentinel: false, lead },
      )

      expect(split.kind === 'complete' && split.pieces.map((piece) => piece.status)).toEqual(
        statuses.map((one) => Number(one[1])),
      )
    },
  )
})
