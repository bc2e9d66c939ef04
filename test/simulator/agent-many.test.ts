// Many prefixes at once: in whatever form a platform takes them they go on, come off, and leave nothing behind; a no to one of them is a no to that one;
// and every line that went out had been written down. A thousand of them are test/load/prefixes.test.ts.

import { afterEach, describe, expect, it } from 'vitest'
import { keyOf } from '../../agent/intents.ts'
import { intended, isRoute, manyRoutes, type Rig, startRig, variants } from './many.ts'

let rig: Rig | undefined

afterEach(async () => {
  await rig?.stop()
  rig = undefined
})

describe.each(variants)('many prefixes on $name', (variant) => {
  const wanted = manyRoutes(24)
  const victim = '198.19.0.22'
  const victimKey = `blackhole|default|${victim}/32`

  it('are the same with every byte in a packet of its own, and go out in its batch', async () => {
    rig = await startRig(variant)
    const { device, heard, bring } = rig
    const before = device.running
    // What is read is long, and read alike byte by byte elsewhere.
    device.faults.add({ kind: 'split', bytes: 1, matching: /^(?!show )/ })

    await bring(wanted)
    expect(device.running).not.toBe(before)
    await bring([])

    expect(device.running).toBe(before)
    const { batch } = variant
    if (batch !== undefined) expect(heard.filter((line) => batch.test(line))).toHaveLength(2)
  }, 60_000)

  it('go on without the one in their middle that the device says no to', async () => {
    rig = await startRig(variant)
    const { device, book, heard, bring, bringUntil } = rig
    const before = device.running
    device.faults.add({ kind: 'reject', matching: refusable(victim) })
    const isTold = (): boolean =>
      wanted.every((intent) => {
        const state = book.state(keyOf(intent))
        return keyOf(intent) === victimKey
          ? state?.error?.code === 'line_refused'
          : state?.verified === true
      })

    await bringUntil(wanted, isTold)

    expect(device.running).not.toContain(`${victim}/32`)
    expect(heard.filter(isRoute)).toEqual(sentOf(intended(book.entries), heard))
    device.faults.clear()
    await bring([])
    expect(device.running).toBe(before)
  }, 60_000)

  it('go on by themselves after the connection was lost in their middle', async () => {
    rig = await startRig(variant)
    const { device, book, heard, bring } = rig
    const before = device.running
    device.faults.add({
      kind: 'disconnect',
      when: 'before',
      matching: refusable(victim),
      times: 1,
    })

    await bring(wanted)

    expect(device.faults.acted).toBe(1)
    expect(sentOf(intended(book.entries), heard)).toEqual(heard.filter(isRoute))
    await bring([])
    expect(device.running).toBe(before)
  }, 60_000)
})

/** With which line the change is made: the end of a batch, a commit, or each line. */
const making: Readonly<Record<string, RegExp>> = {
  frr: /^XFRR_end_configuration$/,
  'linux as root': /^EOF$/,
  'linux with sudo': /^EOF$/,
  cisco_ios: /^(?:no )?(?:ip|ipv6) route .*Null0/,
  juniper_junos: /^commit confirmed/,
}

describe.each(variants)(
  'many prefixes on $name, where the change is answered as if made',
  (variant) => {
    const { [variant.name]: matching = /$./ } = making

    it('are not in force, and not gone either, until they are', async () => {
      rig = await startRig(variant, 200)
      const { device, book, bring, bringUntil } = rig
      const before = device.running
      const wanted = manyRoutes(24)
      const codes = () => wanted.map((intent) => book.state(keyOf(intent))?.error?.code)
      const isTold = (): boolean => codes().every((code) => code === 'not_shown')

      device.faults.add({ kind: 'lie', matching })
      await bringUntil(wanted, isTold)
      expect(device.running).toBe(before)
      device.faults.clear()
      await bring(wanted)
      expect(codes().every((code) => code === undefined)).toBe(true)

      device.faults.add({ kind: 'lie', matching })
      await bringUntil([], isTold)
      expect(book.claims).toHaveLength(wanted.length)
      device.faults.clear()
      await bring([])

      expect(device.running).toBe(before)
    }, 60_000)
  },
)

const batched = variants.filter(({ linesMax = 4_096 }) => linesMax < 4_096)

describe.each(batched)('a freeze in the middle of many prefixes on $name', (variant) => {
  it('ends the batch under way and begins no other, until it is over', async () => {
    rig = await startRig(variant)
    const { device, book, heard, bring, bringUntil } = rig
    const before = device.running
    const { batch = /$./, linesMax = 0 } = variant
    const wanted = manyRoutes(2 * linesMax + 20)
    const stopListening = device.journal.listen((entry) => {
      if (entry.kind === 'line' && batch.test(entry.text)) book.held = true
    })
    const batchesHeard = () => heard.filter((line) => batch.test(line)).length
    const inForce = () =>
      wanted.filter((intent) => book.state(keyOf(intent))?.verified === true).map(keyOf)

    await bringUntil(wanted, () => inForce().length > 0)

    expect(batchesHeard()).toBe(1)
    expect(inForce()).toEqual(wanted.slice(0, linesMax).map(keyOf))
    const rest = wanted.slice(linesMax).map((intent) => book.state(keyOf(intent))?.note)
    expect(new Set(rest)).toEqual(new Set(['held by a freeze']))

    stopListening()
    book.held = false
    await bring(wanted)
    expect(batchesHeard()).toBe(3)
    await bring([])
    expect(device.running).toBe(before)
  }, 60_000)
})

/** The line that puts the address on, and no other: as each platform has it, alone or in a batch. */
function refusable(address: string): RegExp {
  const text = address.replaceAll('.', '\\.')
  return new RegExp(
    `^(?:setsid -w sudo -n ip |ip )?(?:set routing-options static route ${text}/32 discard|(?:ip )?route (?:prepend blackhole )?${text}[/ ].*)$`,
  )
}

/** Of what was written down what was heard: a step may end before its last line, but nothing comes in another order or twice. */
function sentOf(written: readonly string[], heard: readonly string[]): readonly string[] {
  const lines = heard.filter(isRoute)
  let at = 0
  return written.filter(isRoute).filter((line) => {
    const isNext = line === lines[at]
    if (isNext) at += 1
    return isNext
  })
}
