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

  it('does not wait for ever for the end of a title', () => {
    expect(shown(`${esc}]0;${'x'.repeat(2_000)}`)).toContain('x'.repeat(1_000))
  })
})
