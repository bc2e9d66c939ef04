// What the program prints of devices and of the whole controller: above all what was left behind, and what to do about it.

import picocolors from 'picocolors'
import { describe, expect, it } from 'vitest'
import type { StatusView } from '../../controller/api/schema.ts'
import type { Style } from '../../controller/cli/print.ts'
import { deviceTable, printDevice } from '../../controller/cli/print-device.ts'
import { printStatus } from '../../controller/cli/print-status.ts'
import { deviceView } from './device-view.ts'

const plain: Style = { colours: picocolors.createColors(false), columns: 100 }
const now = new Date('2026-11-27T12:00:00.000Z')
const key = 'blackhole|default|203.0.113.9/32'

const device = deviceView({ id: 'trigger1' })
const orphan = { key: 'port|p1', object: ['ip link set dev p1 down'] }

const quiet: StatusView = {
  ready: true,
  reasons: [],
  counts: {},
  enforcements: [],
  devices: [],
  log: { origin: 'log.example', size: 3, healthy: true },
}

const eye = (part: Partial<StatusView['devices'][number]>): StatusView['devices'][number] => {
  return { id: 'trigger1', state: 'up', unsaved: false, unwanted: 0, orphans: 0, ...part }
}

function shown(...devices: StatusView['devices']): string {
  return printStatus(plain, { ...quiet, devices }, now)
}

describe('the status', () => {
  it('says that nothing is in force where nothing was left behind', () => {
    expect(shown()).toBe('Nothing is in force.\n\naudit log log.example: 3 entries')
    expect(shown(eye({ unsaved: true }))).toContain('Nothing is in force.')
    expect(shown(eye({ orphans: 1 }))).toContain('Nothing is in force.')
  })

  it('names the devices that hold what nobody wants, with the command that says more', () => {
    const text = shown(eye({ unsaved: true, unwanted: 2 }), eye({ id: 'sw1', state: 'refused' }))

    expect(text).not.toContain('Nothing is in force.')
    expect(text).toContain(
      'No enforcement is in force, but something of ours that nobody wants is still on trigger1.',
    )
    expect(text).toMatch(/^ {2}trigger1 +up +unsaved +2 +-$/m)
    expect(text).toMatch(/^ {2}sw1 +refused +- +- +-$/m)
    expect(text).toMatch(/^ {2}! unwanted on trigger1: .*`nullroute device show trigger1`$/m)
    expect(text).not.toContain('! orphans')
  })

  it('names the devices with orphans, and how many there are', () => {
    const text = shown(eye({ id: 'sw1', orphans: 3 }), eye({ id: 'sw2', orphans: 1 }))

    expect(text).toMatch(/^ {2}sw1 +up +- +- +3$/m)
    expect(text).toMatch(
      /^ {2}! orphans on sw1, sw2: .*lifted last.*`nullroute device show DEVICE`$/m,
    )
    expect(text).not.toContain('! unwanted')
  })
})

describe('the list of devices', () => {
  it('ends with its rows where nothing was left behind', () => {
    expect(deviceTable(plain, [device]).split('\n')).toHaveLength(2)
  })

  it('counts what was left behind on each, and says what to do', () => {
    const left = { ...device, unwanted: [key], orphans: [orphan, { ...orphan, key: 'port|p2' }] }
    const text = deviceTable(plain, [left, { ...device, id: 'edge1' }])

    expect(text).toMatch(/^DEVICE .*UNWANTED +ORPHANS +READ$/m)
    expect(text).toMatch(/^trigger1 +frr +- +- +up +no +- +1 +2 +-$/m)
    expect(text).toMatch(/^edge1 +frr +- +- +up +no +- +- +- +-$/m)
    expect(text).toMatch(/^! unwanted on trigger1: .*`nullroute device show trigger1`$/m)
    expect(text).toMatch(/^! orphans on trigger1: .*`nullroute device show trigger1`$/m)
  })
})

describe('a device', () => {
  it('says which objects nobody wants, and that lifting them is tried again', () => {
    const text = printDevice(plain, { ...device, unwanted: [key] }, now)

    expect(text).toContain(`yes: ${key}: put there by nullroute, wanted by nobody`)
    expect(text).toContain('lifting it is tried again')
    expect(printDevice(plain, device, now)).toMatch(/unwanted +no$/m)
  })

  it('says of an orphan that it may be somebody’s, before it says how to take it off or over', () => {
    const text = printDevice(plain, { ...device, orphans: [orphan] }, now)
    const [look, off, over] = [
      'Look first: since it was lifted, somebody may have put the same there by hand.',
      'nullroute device reconcile trigger1 --remove KEY --reason WHY',
      'nullroute device adopt trigger1 --key KEY --reason WHY',
    ].map((line) => text.indexOf(line))

    expect(text).toContain('Orphans: marked as nullroute’s, or equal to what it lifted last')
    expect(text).toContain('port|p1  ip link set dev p1 down')
    expect(text).toMatch(/leave it as it is/)
    expect(look).toBeGreaterThan(0)
    expect(off).toBeGreaterThan(look ?? 0)
    expect(over).toBeGreaterThan(off ?? 0)
    expect(printDevice(plain, device, now)).not.toContain('Orphans')
  })
})
