import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { personKey, personName, samePerson } from '../../controller/person.ts'

describe('a person', () => {
  it.each([
    ['case', 'ADA@isp.example'],
    ['a blank before', ' ada@isp.example'],
    ['a blank inside', 'ada @isp.example'],
    ['a blank that does not break', 'ada@isp.example\u00a0'],
    ['a joiner without width', 'ada\u200d@isp.example'],
    ['a space without width', 'ada@isp\u200b.example'],
    ['a byte order mark', '\ufeffada@isp.example'],
    ['a mark of direction', '\u202eada@isp.example'],
    ['a soft hyphen', 'a\u00adda@isp.example'],
    ['a selector of variants', 'ada\ufe0f@isp.example'],
    ['a filler', 'ada\u3164@isp.example'],
    ['an empty pattern of Braille', 'ada\u2800@isp.example'],
    ['wide letters', '\uff41\uff44\uff41@isp.example'],
    ['a tab', 'ada@isp.example\t'],
  ])('is no other by %s', (_what, spelling) => {
    expect(samePerson(spelling, 'ada@isp.example')).toBe(true)
    expect(samePerson('ada@isp.example', spelling)).toBe(true)
  })

  it('is another by another name', () => {
    expect(samePerson('ada@isp.example', 'adam@isp.example')).toBe(false)
    expect(samePerson('ada@isp.example', 'ada@isp.example.net')).toBe(false)
  })

  it('is kept as it can be read', () => {
    expect(personName('  Ada   \u200bLovelace\u202e ')).toBe('ada lovelace')
    expect(personName('\u200b \u3164')).toBe('')
  })

  it('stays who it is when it is kept', () => {
    const stays = (text: string) =>
      personKey(personName(text)) === personKey(text) &&
      personName(personName(text)) === personName(text)

    expect(fc.check(fc.property(fc.string({ unit: 'binary' }), stays)).counterexample).toBeNull()
  })
})
