// A thousand prefixes on one device of each platform: on, off, and the configuration is what it was, byte by byte.

import { afterEach, describe, expect, it } from 'vitest'
import { intended, isRoute, manyRoutes, type Rig, startRig, variants } from '../simulator/many.ts'

let rig: Rig | undefined

afterEach(async () => {
  await rig?.stop()
  rig = undefined
})

describe.each(variants)('a thousand prefixes on $name', (variant) => {
  it('go on, come off, and leave the configuration as it was, by the lines that were written down', async () => {
    rig = await startRig(variant)
    const { device, book, heard, bring } = rig
    const before = device.running

    await bring(manyRoutes(1_000))
    expect(device.running).not.toBe(before)
    expect(heard.filter(isRoute)).toEqual(intended(book.entries).filter(isRoute))
    await bring([])

    expect(device.running).toBe(before)
    expect(heard.filter(isRoute)).toEqual(intended(book.entries).filter(isRoute))
    const { batch, linesMax = 1 } = variant
    if (batch === undefined) return
    const batches = heard.filter((line) => batch.test(line))
    expect(batches).toHaveLength(2 * Math.ceil(1_000 / linesMax))
  })
})
