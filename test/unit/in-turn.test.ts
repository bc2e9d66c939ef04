// Work that is asked for while the same is under way: one after the other, and who asks while one waits joins it.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inTurn } from '../../controller/desk/in-turn.ts'

/** A run that reads when it begins and puts in force what it read when it is let go on. */
function reader() {
  const files = { text: 'old' }
  const inForce: string[] = []
  const begun: { readonly askers: readonly string[]; readonly goOn: (fault?: Error) => void }[] = []
  let onBegin = (): void => undefined
  const ask = inTurn(async (askers: readonly string[]) => {
    const { text } = files
    const held = new Promise<void>((resolve, reject) => {
      const goOn = (fault?: Error): void => (fault === undefined ? resolve() : reject(fault))
      begun.push({ askers: [...askers], goOn })
    })
    onBegin()
    await held
    inForce.push(text)
    return text
  })
  const next = () => new Promise<void>((resolve) => (onBegin = resolve))
  return { files, inForce, begun, ask, next }
}

describe('what is done in turn', () => {
  it('begins when the one before has ended, so that what was read last is in force last', async () => {
    const { files, inForce, begun, ask, next } = reader()
    const firstBegins = next()
    const first = ask('ann')
    await firstBegins
    files.text = 'new'
    const secondBegins = next()
    const second = ask('bob')
    // Every turn that a run without a queue would need to begin.
    await new Promise((resolve) => setImmediate(resolve))
    expect(begun).toHaveLength(1)

    begun[0]?.goOn()
    await secondBegins
    begun[1]?.goOn()

    expect(await Promise.all([first, second])).toEqual(['old', 'new'])
    expect(inForce).toEqual(['old', 'new'])
  })

  it('takes those who ask while one waits into that one, each by name', async () => {
    const { begun, ask, next } = reader()
    const firstBegins = next()
    const first = ask('ann')
    await firstBegins
    const secondBegins = next()
    const others = ['bob', 'cid', 'dee'].map(ask)
    begun[0]?.goOn()
    await secondBegins
    begun[1]?.goOn()
    await Promise.all([first, ...others])

    expect(begun.map(({ askers }) => askers)).toEqual([['ann'], ['bob', 'cid', 'dee']])
  })

  it('tells a failure to those who asked, and goes on with the next', async () => {
    const { begun, ask, next } = reader()
    const firstBegins = next()
    const first = ask('ann')
    await firstBegins
    const secondBegins = next()
    const second = ask('bob')
    begun[0]?.goOn(new Error('the disk is full'))
    await expect(first).rejects.toThrow('the disk is full')
    await secondBegins
    begun[1]?.goOn()

    expect(await second).toBe('old')
  })

  it('never runs two at once, and answers everyone with a run that began after they asked', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 30 }),
        async (gaps) => {
          let atOnce = 0
          let most = 0
          let clock = 0
          const ask = inTurn(async () => {
            const at = ++clock
            most = Math.max(most, ++atOnce)
            for (let turn = 0; turn < 3; turn++) await Promise.resolve()
            atOnce -= 1
            return at
          })
          const answers: Promise<boolean>[] = []
          for (const gap of gaps) {
            const at = ++clock
            answers.push(ask(0).then((began) => began > at))
            for (let turn = 0; turn < gap; turn++) await Promise.resolve()
          }

          expect((await Promise.all(answers)).every(Boolean)).toBe(true)
          expect(most).toBe(1)
        },
      ),
    )
  })
})
