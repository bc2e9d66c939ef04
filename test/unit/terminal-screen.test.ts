import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createScreen } from '../../agent/terminal-screen.ts'

const esc = String.fromCharCode(27)
const bell = String.fromCharCode(7)

function shown(bytes: Uint8Array | string, columns = 80): string {
  const screen = createScreen(columns)
  screen.write(typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes)
  return screen.text()
}

describe('what a device sends, as a person would see it', () => {
  it.each([
    ['a\r\nb', 'a\nb'],
    ['a\r\r\nb', 'a\nb'],
    ['abc\rx', 'xbc'],
    ['abc\b\bx', 'axc'],
    ['\b\bab', 'ab'],
    [`${esc}[?2004hroot# ${esc}[K`, 'root# '],
    [`${esc}]0;title${bell}host$ `, 'host$ '],
    [`${esc}]0;title${esc}\\host$ `, 'host$ '],
    [`abcdef\r${esc}[2Kx`, 'x'],
    [`abcdef${esc}[3D${esc}[Kx`, 'abcx'],
    [`a${esc}(Bb${esc}=c`, 'abc'],
    [`a${esc}\r\nb`, 'a\nb'],
    // A pager's sign, wiped with blanks, leaves none behind.
    [' --More-- \b\b\b\b\b\b\b\b\b\b          \b\b\b\b\b\b\b\b\b\bend\r\n', 'end\n'],
  ])('shows %j as %j', (sent, seen) => {
    expect(shown(sent)).toBe(seen)
  })

  it('puts an echo together again that readline wrapped at the width of the terminal', () => {
    // frr/ssh_session_narrow_terminal_raw: 40 columns.
    const sent = 'vm# show bgp ipv4 unicast neighbors 10.0.\r.24.2 advertised-routes json\r\n{\r\n'
    expect(shown(sent, 40)).toBe(
      'vm# show bgp ipv4 unicast neighbors 10.0.24.2 advertised-routes json\n{\n',
    )
  })

  it('takes the redraw of a long line on Junos for one line', () => {
    // juniper_junos/prompt_redraw_long_line_raw.
    const text = 'set policy-options community TEST_190 '
    const sent = `u@h# ${text}\ru@h# ${text}   \b\b\bmembers 12345:12345 \r\n\r\n{master}[edit]\r\nu@h# `
    expect(shown(sent)).toBe(`u@h# ${text}members 12345:12345\n\n{master}[edit]\nu@h# `)
  })

  it('shows the same however the bytes were cut', () => {
    const piece = fc.constantFrom(
      'edge# ',
      'ä€😀',
      '\r\n',
      '\r',
      '\b',
      '\t',
      `${esc}[K`,
      `${esc}[3D`,
      `${esc}]0;t${bell}`,
      `${esc}(B`,
      'show x',
      esc,
    )
    fc.assert(
      fc.property(fc.array(piece), fc.array(fc.nat({ max: 200 })), (pieces, cuts) => {
        const bytes = new TextEncoder().encode(pieces.join(''))
        const screen = createScreen(20)
        const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort(
          (a, b) => a - b,
        )
        for (const [i, at] of places.entries())
          screen.write(bytes.subarray(at, places[i + 1] ?? at))
        expect(screen.text()).toBe(shown(bytes, 20))
      }),
    )
  })

  it('shows the end of a long text from the start of a line on', () => {
    const texts = fc.array(fc.tuple(fc.nat({ max: 400 }), fc.nat({ max: 60 })), { maxLength: 30 })
    fc.assert(
      fc.property(texts, (parts) => {
        const screen = createScreen(511)
        for (const [lines, width] of parts) {
          screen.write(new TextEncoder().encode(`${'x'.repeat(width)}\r\n`.repeat(lines)))
          screen.write(new TextEncoder().encode('edge# '))
          const text = screen.text()
          const end = screen.end()
          expect(text.endsWith(end)).toBe(true)
          expect(end.length).toBeGreaterThanOrEqual(Math.min(text.length, 10_000))
          expect(end === text || text.at(-end.length - 1) === '\n').toBe(true)
        }
      }),
      { numRuns: 30 },
    )
  })

  it.each([
    [`${esc}[2000000000CX`, `${' '.repeat(79)}X`],
    [`${esc}[${'9'.repeat(400)}CX`, `${' '.repeat(79)}X`],
    [`${esc}[600000000GX`, `${' '.repeat(79)}X`],
    [`abc${esc}[2000000000Dx`, 'xbc'],
    [`abc${esc}[400000000C${esc}[1KX`, `${' '.repeat(79)}X`],
    [`abc${esc}[2D${esc}[2000000000Px`, 'ax'],
    [`abc${esc}[2000000000b${esc}[2000000000@${esc}[2000000000I${esc}[2000000000X.`, 'abc.'],
    // Into a row that is full, and into the one below it.
    [`${'a'.repeat(80)}${esc}[9CX`, `${'a'.repeat(79)}X`],
    [`${'a'.repeat(81)}${esc}[2000000000CX`, `${'a'.repeat(81)}${' '.repeat(78)}X`],
    [`${'a'.repeat(81)}${esc}[9D\b\bX`, `${'a'.repeat(80)}X`],
    [`${'a'.repeat(81)}${esc}[2KX`, `${'a'.repeat(80)} X`],
  ])('ends each movement at the edge of the screen: %j', (sent, seen) => {
    expect(shown(sent)).toBe(seen)
  })

  it('takes any sequences with any numbers, however they were cut, and holds little more than what came', () => {
    const number = fc.oneof(
      fc.constant(''),
      fc.nat({ max: 600 }).map(String),
      fc.bigInt({ min: 0n, max: 10n ** 400n }).map(String),
    )
    const sequence = fc
      .tuple(fc.array(number, { maxLength: 3 }), fc.integer({ min: 0x40, max: 0x7e }))
      .map(([numbers, end]) => `${esc}[${numbers.join(';')}${String.fromCharCode(end)}`)
    const text = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.nat({ max: 1_200 }).map((length) => 'x'.repeat(length)),
      fc.constantFrom('\r', '\n', '\b', '\t', '\r\n', esc, `${esc}]0;t${bell}`),
    )
    const pieces = fc.array(fc.oneof(sequence, text), { maxLength: 60 })
    fc.assert(
      fc.property(pieces, fc.nat({ max: 511 }), fc.nat({ max: 400 }), (parts, width, size) => {
        const columns = 8 + width
        const bytes = new TextEncoder().encode(parts.join(''))
        const screen = createScreen(columns)
        for (let at = 0; at < bytes.length; at += size + 1) {
          screen.write(bytes.subarray(at, at + size + 1))
          screen.end()
        }
        expect(screen.text()).toBe(shown(bytes, columns))
        expect(screen.length()).toBe(screen.text().length)
        expect(screen.length()).toBeLessThanOrEqual(bytes.length * columns)
      }),
    )
  })

  it.each([
    ['a character in a long line', 'x\b', 80],
    ['the wiping of a row', `x${esc}[2K\r`, 80],
    ['a blank far away', `${esc}[79CX`, 80],
  ])('works no more on %s, however long the line is', (_, piece, columns) => {
    // So long that a copy of the line for each piece would be 100 GB.
    const screen = createScreen(columns)
    screen.write(new TextEncoder().encode('a'.repeat(1_000_000)))
    screen.write(new TextEncoder().encode(piece.repeat(100_000)))
    expect(screen.length()).toBeGreaterThanOrEqual(1_000_000)
  })

  it('shows the end of a line that has none', () => {
    const screen = createScreen(80)
    for (let part = 0; part < 50; part++) {
      screen.write(new TextEncoder().encode('0123456789'.repeat(400)))
      const end = screen.end()
      expect(screen.text().endsWith(end)).toBe(true)
      expect(end.length).toBeGreaterThanOrEqual(Math.min(screen.length(), 10_000))
      expect(end.length).toBeLessThan(30_000)
    }
    expect(screen.text()).toBe('0123456789'.repeat(20_000))
  })

  it('takes a sequence that is too long for text, whole or in parts', () => {
    const title = `${esc}]0;${'x'.repeat(2_000)}${bell}`
    expect(shown(title)).toBe(`]0;${'x'.repeat(2_000)}`)
    const screen = createScreen(80)
    for (const byte of new TextEncoder().encode(title)) screen.write(Uint8Array.of(byte))
    expect(screen.text()).toBe(shown(title))
  })

  it('does not wait for ever for the end of a title', () => {
    expect(shown(`${esc}]0;${'x'.repeat(2_000)}`)).toContain('x'.repeat(1_000))
  })
})
