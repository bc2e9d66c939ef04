import { PassThrough, Writable } from 'node:stream'
import fc from 'fast-check'
import picocolors from 'picocolors'
import { describe, expect, it } from 'vitest'
import { type Context, remark, say, sayJson } from '../../controller/cli/context.ts'
import { terminalText } from '../../controller/cli/terminal-text.ts'

class Kept extends Writable {
  text = ''

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

const context = (): Context & { readonly stdout: Kept; readonly stderr: Kept } => ({
  stdout: new Kept(),
  stderr: new Kept(),
  stdin: new PassThrough(),
  environment: {},
  signal: new AbortController().signal,
})
const obeyed = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

describe('text for a terminal', () => {
  it.each([
    ['a return of the carriage', 'spam\rnothing was refused', 'spam\\u000dnothing was refused'],
    ['a turn of direction', 'relay \u202eknil\u202c', 'relay \\u202eknil\\u202c'],
    ['an isolate', 'a\u2066b\u2069', 'a\\u2066b\\u2069'],
    ['a sign without width', 'esthost\u200b', 'esthost\\u200b'],
    ['a tag that nobody sees', 'a\u{e0041}', 'a\\udb40\\udc41'],
    ['an end of a paragraph', 'a\u2029b', 'a\\u2029b'],
    ['a move of the cursor', '\u001b[2Jgone', '\\u001b[2Jgone'],
    ['text that is hidden', '\u001b[8mhidden', '\\u001b[8mhidden'],
    ['a bell before a colour', '\u0007[1mx', '\\u0007[1mx'],
    ['a title of the window', '\u001b]0;x\u0007', '\\u001b]0;x\\u0007'],
    ['an introducer of eight bits', '\u009b2J', '\\u009b2J'],
  ])('holds %s as something to read', (_what, text, shown) => {
    expect(terminalText(text)).toBe(shown)
  })

  it('keeps lines, tabs, letters of every alphabet and our own colours', () => {
    const { bold, dim, red, green, yellow, cyan } = picocolors.createColors(true)
    const ours = [bold('a'), dim('b'), red('c'), green('d'), yellow('e'), cyan('f')].join('\n\t')
    const plain = 'Überfall, محمد, 東京, 🚫'

    expect(terminalText(`${ours} ${plain}`)).toBe(`${ours} ${plain}`)
    expect(terminalText('one\r\ntwo')).toBe('one\ntwo')
  })

  it('comes that way out of every door of the program', () => {
    const seen = context()
    say(seen, 'a\rb\u202ec')
    remark(seen, 'a\rb\u202ec')

    expect(seen.stdout.text).toBe('a\\u000db\\u202ec\n')
    expect(seen.stderr.text).toBe('a\\u000db\\u202ec\n')
  })

  it('holds nothing that a terminal obeys, and as JSON is the value that it was', () => {
    const holds = (text: string) => {
      const seen = context()
      sayJson(seen, { text })
      const { text: back } = JSON.parse(seen.stdout.text) as { text: string }
      return back === text && !obeyed.test(seen.stdout.text) && !obeyed.test(terminalText(text))
    }
    const anything = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\u001b'))

    expect(fc.check(fc.property(anything, holds)).counterexample).toBeNull()
  })
})
