// The program against a real controller and simulated devices: what people and scripts see of it, from the first look-up to the release, and each way in which it ends.

import { spawn } from 'node:child_process'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type {
  EnforcementView,
  LookupView,
  PlanView,
  Problem,
  StatusView,
} from '../../controller/api/schema.ts'
import { bundled } from '../bundle.ts'
import { type CliRun, type Story, startStory } from './story.ts'

const why = ['--category', 'phishing', '--summary', '42 kits', '--ticket', 'ABUSE-2041']

let story: Story

beforeAll(async () => {
  story = await startStory({
    config: { observerDeadlineMs: 2_000 },
    // The tests of one file decide more than an hour allows by default for ports.
    inventory: { limits: { perHour: { decisions: 200, customers: 200 } } },
  })
})

afterAll(() => story.stop())

function expectExit(run: CliRun, exit: number): void {
  // The texts say why, where it is another.
  expect({ exit: run.exit, stderr: run.exit === exit ? '' : run.stderr + run.stdout }).toEqual({
    exit,
    stderr: '',
  })
}

async function onlyEnforcement(customer: string): Promise<EnforcementView> {
  const { json } = await story.api<{ items: EnforcementView[] }>(
    'GET',
    `/v1/enforcements?customer=${customer}&limit=1`,
  )
  return json.items[0]!
}

// A port of this machine at which nobody listens.
async function unusedUrl(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${port}`
}

function lines(name: string): string {
  return story.simulator.device(name).running
}

describe('the abuse desk', () => {
  it('looks up an address, of a customer and of nobody', async () => {
    const theirs = await story.cli(['lookup', '203.0.113.2'], { as: 'abuse' })
    const nobody = await story.cli(['lookup', '198.51.100.7', '--json'], { as: 'auditor' })

    expectExit(theirs, 0)
    expect(theirs.stdout).toContain('Esthost (esthost)')
    expect(theirs.stdout).toContain('sw1:p1')
    expect(theirs.stdout).toContain('nullroute suspend esthost')
    expectExit(nobody, 0)
    expect(nobody.json<LookupView>()).toMatchObject({ address: '198.51.100.7', enforcements: [] })
    expect(nobody.json<LookupView>().customer).toBeUndefined()
  })

  it('reads in a dry run whom it hits, what is left out, and each line; nothing is touched', async () => {
    const before = lines('trigger1')

    const run = await story.cli(['suspend', 'esthost', ...why, '--dry-run'], { as: 'abuse' })

    expectExit(run, 0)
    expect(run.stdout).toContain('all pass: own_space, protected_space, never_cut')
    expect(run.stdout).toContain('1 customer (esthost), 3 IPv4 addresses, 65,536 IPv6 /64s, 1 port')
    expect(run.stdout).toContain('left out: 203.0.113.1 (gateway of edge1), inside 203.0.113.0/30')
    expect(run.stdout).toContain('      ip route 203.0.113.2/31 blackhole tag 666\n')
    expect(run.stdout).toContain('      no ip route 203.0.113.2/31 blackhole tag 666\n')
    expect(run.stdout).toContain('      setsid -w sudo -n ip link set dev p1 down\n')
    expect(run.stdout).toContain('not done: FRR has no packet filter')
    expect(run.stdout).toContain('Only read: 1 device\n  edge1')
    expect(run.stdout).not.toContain('\u001b[')
    expect(lines('trigger1')).toBe(before)
    expect((await story.cli(['status'])).stdout).toContain('Nothing is in force.')
  })

  it('enforces exactly the plan that was reviewed, sees each device get there, and lifts it by name', async () => {
    const before = { trigger1: lines('trigger1'), sw1: lines('sw1') }
    const plan = (
      await story.cli(['plan', 'suspend', 'esthost', ...why, '--json'])
    ).json<PlanView>()

    const run = await story.cli(
      ['suspend', 'esthost', '--plan', plan.id, '--digest', plan.digest],
      { as: 'abuse' },
    )
    const one = await onlyEnforcement('esthost')
    const whole = await story.cli(['status', one.id], { as: 'auditor' })
    const status = await story.cli(['status', '--json'])
    const released = await story.cli(['release', 'esthost', '--reason', 'cleaned up'], {
      as: 'abuse',
    })

    expectExit(run, 0)
    expect(one).toMatchObject({ digest: plan.digest })
    expect(run.stdout).toContain('suspend esthost: enforced. 3 of 3 devices')
    expect(run.stdout).toContain(`nullroute release ${one.id} --reason WHY`)
    expect(run.stderr).toMatch(/\+\d+\.\d s {2}trigger1 {2}enforcer {2}verified/)
    expect(run.stderr).toMatch(/\+\d+\.\d s {2}edge1 {2}observer {2}verified/)
    expect(run.stderr).toMatch(/\+\d+\.\d s {2}sw1 {2}enforcer {2}verified/)
    expectExit(whole, 0)
    expect(whole.stdout).toMatch(/trigger1 +enforcer +verified +3 applied/)
    expect(status.json<StatusView>()).toMatchObject({ ready: true, counts: { enforced: 1 } })
    expectExit(released, 0)
    expect(released.stdout).toContain('released. Lifted everywhere, and read back.')
    const after = await story.cli(['status', one.id])
    expect(after.stdout).toMatch(/trigger1 +enforcer +lifted +3 gone/)
    expect(after.stdout).toMatch(/edge1 +observer +lifted +3 gone/)
    expect(after.stdout).not.toMatch(/ends |applied|retry/)
    expect(released.stderr).toMatch(/trigger1 {2}enforcer {2}lifted/)
    expect(released.stderr).not.toContain('enforced')
    expect({ trigger1: lines('trigger1'), sw1: lines('sw1') }).toEqual(before)
  })

  it('waits in a release for no device that is read back, where another enforcement holds it', async () => {
    const first = await story.cli(['suspend', 'esthost', ...why, '--json'])
    const second = await story.cli(['suspend', 'esthost', ...why.slice(0, 4), '--json'])
    const { id } = first.json<EnforcementView>()
    const other = second.json<EnforcementView>().id

    const released = await story.cli(['release', id, '--reason', 'a mistake'])
    const last = await story.cli(['release', other, '--reason', 'cleaned up'])

    expectExit(released, 0)
    expect(released.stderr).toMatch(
      /trigger1 {2}enforcer {2}read back {2}.*3 of 3 left in place: another enforcement holds it/,
    )
    expect(released.stderr).not.toContain('lifting')
    expect(released.stdout).not.toContain('Lifted')
    expect(released.stdout).toContain(`stays in force for ${other}`)
    expectExit(last, 0)
    expect(last.stdout).toContain('released. Lifted everywhere, and read back.')
  })

  it('answers with the enforcement as JSON, and nothing beside it', async () => {
    const run = await story.cli([
      'block',
      '--prefix',
      '203.0.113.130',
      ...why,
      '--expires',
      '2d',
      '--json',
    ])
    const { id } = run.json<EnforcementView>()
    const release = await story.cli(['release', id, '--reason', 'x', '--json'])

    expectExit(run, 0)
    expect(run.stderr).toBe('')
    expect(run.json<EnforcementView>()).toMatchObject({
      status: 'enforced',
      decision: { subject: { prefix: '203.0.113.130/32' }, reason: { ticket: 'ABUSE-2041' } },
    })
    const { acceptedAt, expiresAt = '' } = run.json<EnforcementView>()
    expect(Math.abs(Date.parse(expiresAt) - Date.parse(acceptedAt) - 2 * 86_400_000)).toBeLessThan(
      3_000,
    )
    expectExit(release, 0)
    expect(release.json<EnforcementView>()).toMatchObject({ id, status: 'released' })
  })

  it('redraws its progress on a terminal, one line a device, and never wider than it is', async () => {
    const run = await story.cli(['block', '--port', 'sw1:p1', ...why], { columns: 60 })
    const { id } = await onlyEnforcement('esthost')
    await story.cli(['release', id, '--reason', 'x'])

    expectExit(run, 0)
    expect(run.stderr).toContain('\u001b[2K')
    // oxlint-disable-next-line no-control-regex
    const plain = run.stderr.replaceAll(/\u001b\[[0-9;]*[A-Za-z]/g, '').replaceAll('\r', '')
    expect(plain).toMatch(/sw1 +enforcer +verified/)
    expect(plain.split('\n').filter((line) => line.length > 60)).toEqual([])
  })

  it('does not wait when told so, and watches later', async () => {
    const run = await story.cli(['block', '--port', 'sw1:p1', ...why, '--no-wait'])
    const { id } = await onlyEnforcement('esthost')
    const watched = await story.cli(['watch', id])
    const streamed = await story.cli(['watch', id, '--json'])
    await story.cli(['release', id, '--reason', 'x'])

    expectExit(run, 0)
    expect(run.stdout).toContain(`nullroute watch ${id}`)
    expect(run.stderr).toBe('')
    expectExit(watched, 0)
    expect(watched.stdout).toMatch(/sw1 +enforcer +verified/)
    const events = streamed.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string })
    expect(events.at(-1)).toMatchObject({ event: 'settled', data: { status: 'enforced' } })
  })
})

describe('what is refused', () => {
  it('shows the guard that refuses, what it hit and what to do: dry and for real, with exit code 1', async () => {
    const dry = await story.cli(['block', '--prefix', '203.0.113.1', ...why, '--dry-run'])
    const real = await story.cli(['block', '--prefix', '203.0.113.1', ...why])

    expectExit(dry, 1)
    expect(dry.stdout).toContain(
      'refused never_cut: would cut what carries the network: 203.0.113.1 (gateway of edge1)',
    )
    expect(dry.stdout).not.toContain('--digest')
    expectExit(real, 1)
    expect(real.stderr).toContain('never_cut')
    expect(real.stdout).toBe('')
  })

  it('is told as a problem where JSON was asked for', async () => {
    const run = await story.cli(['suspend', 'nobody', ...why, '--json'])

    expectExit(run, 1)
    expect(run.stdout).toBe('')
    expect(JSON.parse(run.stderr) as Problem).toMatchObject({
      type: 'urn:nullroute:problem:unknown_customer',
      code: 'unknown_customer',
      status: 422,
      exit: 1,
    })
  })

  it.each([
    [['suspent', 'esthost'], "unknown command 'suspent'", 'Did you mean suspend?'],
    [['device', 'shwo', 'x'], "unknown command 'shwo'", 'nullroute device --help'],
    [['suspend', 'esthost', '--sumary', 'x'], '--sumary', 'Did you mean --summary?'],
    [['suspend', 'esthost'], '--category and --summary missing', 'nullroute suspend --help'],
    [['suspend', ...why], 'whom to suspend?', 'nullroute suspend --help'],
    [['suspend', 'esthost', ...why, '--expires', 'soon'], 'expected a time span such as 14d', ''],
    [['suspend', 'esthost', ...why, '--online'], '--online goes with --dry-run', ''],
    [['suspend', 'esthost', ...why, '--override', 'hour_budget'], 'expected GUARD=REASON', ''],
    [['suspend', '--plan', '01M8EB7EBEH238N6GHHQVXD11Z'], '--plan and --digest go together', ''],
    [
      ['suspend', 'esthost', '--category', 'bad', '--summary', 'x'],
      '--category: expected one of spam',
      '',
    ],
    [['suspend', 'esthost', ...why, '--evidence', 'kit.zip'], '--evidence: expected a URL', ''],
    [
      ['suspend', 'esthost', ...why, '--evidence', 'https://desk.example/kit.zip#sha256=9f86'],
      'expected URL#sha256=HEX',
      'sha256sum FILE',
    ],
    [['block', ...why], 'expected exactly one of --prefix, --port and --neighbor, found none', ''],
    [['block', '--prefix', '203.0.113.9/24', ...why], '--prefix: ', ''],
    [['block', '--port', 'p1', ...why], 'expected DEVICE:INTERFACE', ''],
    [['release', 'esthost'], '--reason is missing', ''],
    [['lookup', '203.0.113'], 'ADDRESS: ', ''],
    [['status', 'x'], 'ID: expected a ULID', ''],
    [['extend', 'x', '--reason', 'x'], '--expires', 'nullroute extend --help'],
    [['device'], 'a command is missing', ''],
    [[], 'Usage: nullroute', ''],
  ] as const)(
    'calls %j a mistake in how it was called: exit code 2',
    async (argv, what, remedy) => {
      const run = await story.cli(argv)

      expectExit(run, 2)
      expect(run.stderr).toContain(what)
      expect(run.stderr).toContain(remedy)
      expect(run.stdout).toBe('')
    },
  )

  it('keeps roles apart', async () => {
    const run = await story.cli(['suspend', 'esthost', ...why], { as: 'auditor' })
    const unknown = await story.cli(['status'], { environment: { NULLROUTE_TOKEN: 'nr_wrong' } })
    const none = await story.cli(['status'], { as: 'nobody' })

    expectExit(run, 1)
    expect(run.stderr).toContain('abuse')
    expectExit(unknown, 1)
    expect(unknown.stderr).toContain('nullroute token create')
    expectExit(none, 1)
    expect(none.stderr).toContain('NULLROUTE_TOKEN is not set')
  })

  it('ends with 4 where no controller is', async () => {
    const nobody = { NULLROUTE_URL: await unusedUrl() }
    const run = await story.cli(['status'], { environment: nobody })
    const wrong = await story.cli(['status'], { environment: { NULLROUTE_URL: 'controller' } })

    expectExit(run, 4)
    expect(run.stderr).toContain(`can't reach the controller at ${nobody.NULLROUTE_URL}`)
    expect(run.stderr).toContain('nullroute serve')
    expectExit(wrong, 2)
  })
})

describe('more than one in force', () => {
  it('lists them for `release CUSTOMER`, exit code 2, and takes an id', async () => {
    const first = await story.cli(['block', '--port', 'sw1:p1', ...why, '--json'])
    const second = await story.cli(['suspend', 'esthost', ...why, '--json'])
    const ids = [first, second].map((run) => run.json<EnforcementView>().id)

    const run = await story.cli(['release', 'esthost', '--reason', 'x'])
    const dry = await story.cli(['release', ids[0]!, '--dry-run'])
    const wider = await story.cli(['release', ids[1]!, '--dry-run'])
    const json = await story.cli(['release', ids[1]!, '--dry-run', '--json'])
    const releases = [
      await story.cli(['release', ids[0]!, '--reason', 'x']),
      await story.cli(['release', 'esthost', '--reason', 'x']),
    ]
    const nothing = await story.cli(['release', 'esthost', '--reason', 'x'])

    expectExit(run, 2)
    for (const id of ids) expect(run.stderr).toContain(id)
    expectExit(dry, 0)
    expect(dry.stdout).toContain('Plan: release')
    expect(dry.stdout).toContain(`nothing: all of it stays cut off by ${ids[1]}`)
    expect(wider.stdout).toContain(
      '1 customer (esthost), 3 IPv4 addresses, 65,536 IPv6 /64s, 0 ports',
    )
    expect(wider.stdout).toContain(`not everything: a part stays cut off by ${ids[0]}`)
    const plan = json.json<PlanView>()
    expect(plan).toMatchObject({ keptBy: [ids[0]], blastRadius: { ports: [] } })
    expect(plan.devices.flatMap(({ intents }) => intents).filter(({ keptBy }) => keptBy)).toEqual([
      expect.objectContaining({ key: 'port|p1', keptBy: [ids[0]] }),
    ])
    expect(releases.map(({ exit }) => exit)).toEqual([0, 0])
    expectExit(nothing, 1)
    expect(nothing.stderr).toContain('nothing is in force on esthost')
  })

  it('warns before it waits where the same was asked for twice, names the first, and says how to undo', async () => {
    const first = await story.cli(['block', '--port', 'sw1:p1', ...why, '--json'])
    const second = await story.cli(['block', '--port', 'sw1:p1', ...why])
    const json = await story.cli(['block', '--port', 'sw1:p1', ...why, '--no-wait', '--json'])
    const { id } = first.json<EnforcementView>()
    const third = json.json<EnforcementView>().id
    const other = (await story.api<{ items: EnforcementView[] }>('GET', '/v1/enforcements')).json
      .items[1]!
    const released = await story.cli(['release', id, '--reason', 'x'])
    const status = await story.cli(['status', id])
    for (const one of [other.id, third]) await story.cli(['release', one, '--reason', 'x'])

    expectExit(second, 0)
    expect(second.stderr.split('\n').slice(0, 3)).toEqual([
      `WARNING: block port sw1:p1 of esthost was in force already, as ${id}.`,
      `  This made a second one, ${other.id}: the subject stays cut off until both are released.`,
      `  If it was not meant: nullroute release ${other.id} --reason 'asked for twice'`,
    ])
    expect(json.stderr).toBe('')
    expect(json.json<EnforcementView>().warnings).toMatchObject([
      { code: 'already_in_force', enforcements: [id, other.id] },
    ])
    expectExit(released, 0)
    expect(status.stdout).toMatch(/sw1 +enforcer +read back +1 still there/)
    expect(status.stdout).toMatch(/\n {2}ended +\S+/)
    expect(status.stdout).not.toMatch(/\n {2}ends /)
  })
})

describe('four eyes', () => {
  it('shows the other person what waits, and enforces what was approved', async () => {
    const asked = await story.cli(['terminate', 'rovernet', ...why], { as: 'abuse' })
    const { id, digest } = await onlyEnforcement('rovernet')
    const own = await story.cli(['approve', id, '--digest', digest], { as: 'abuse' })
    const shown = await story.cli(['approve', id], { as: 'approver' })
    const run = await story.cli(['approve', id, '--digest', digest], { as: 'approver' })
    const again = await story.cli(['approve', id], { as: 'approver' })
    await story.cli(['release', id, '--reason', 'x'])

    expectExit(asked, 0)
    expect(asked.stdout).toContain(
      'awaiting_approval. Nothing is done before another person approves it',
    )
    expect(asked.stdout).toContain(`nullroute approve ${id} --digest ${digest}`)
    expectExit(own, 1)
    expectExit(shown, 2)
    expect(shown.stdout).toContain('neighbor 192.0.2.66 shutdown')
    expectExit(run, 0)
    expect(run.stdout).toContain('terminate rovernet: enforced')
    expectExit(again, 1)
    expect(again.stderr).toContain(
      'Nothing was approved: it is enforced, and waits for no approval',
    )
    expect(again.stderr).not.toContain('--digest')
  })

  it('may reject it', async () => {
    await story.cli(['terminate', 'rovernet', ...why, '--no-wait'], { as: 'abuse' })
    const { id } = await onlyEnforcement('rovernet')
    const run = await story.cli(['reject', id, '--reason', 'no'], { as: 'approver' })

    expectExit(run, 0)
    expect(run.stdout).toContain('rejected')
  })
})

describe('the network', () => {
  it('lists, shows and checks devices', async () => {
    const list = await story.cli(['device', 'list'])
    const show = await story.cli(['device', 'show', 'edge1', '--json'])
    const check = await story.cli(['device', 'check', 'sw1'], { as: 'engineer' })
    const unknown = await story.cli(['device', 'show', 'edge9'])

    expectExit(list, 0)
    expect(list.stdout).toMatch(/edge1 +frr +- +edge/)
    expect(show.json()).toMatchObject({ id: 'edge1', platform: 'frr' })
    expectExit(check, 0)
    expect(check.stdout).toContain('nothing to put right')
    expectExit(unknown, 1)
  })

  it('says what holds everything: a freeze is no success', async () => {
    const frozen = await story.cli(['freeze', '--reason', 'core unstable'], { as: 'engineer' })
    const run = await story.cli(['block', '--port', 'sw1:p1', ...why])
    const status = await story.cli(['status'])
    const thawed = await story.cli(['unfreeze'], { as: 'engineer' })
    const { id } = await onlyEnforcement('esthost')
    const watched = await story.cli(['watch', id])
    await story.cli(['release', id, '--reason', 'x'])

    expectExit(frozen, 0)
    expectExit(run, 3)
    expect(run.stdout).toContain('held by a freeze')
    expect(status.stdout).toContain('FROZEN since')
    expect(status.stdout).toContain('core unstable')
    expectExit(thawed, 0)
    expectExit(watched, 0)
  })

  it('ends with 3 where a device is off and names it; watching goes on until it is back', async () => {
    const sw1 = story.simulator.device('sw1')
    sw1.faults.add({ kind: 'off' })
    const run = await story.cli(['block', '--port', 'sw1:p1', ...why])
    const { id } = await onlyEnforcement('esthost')
    const status = await story.cli(['status', id])
    const all = await story.cli(['status'])
    const watching = story.cli(['watch', id])
    sw1.faults.clear()
    const retried = await story.cli(['retry', id])
    const watched = await watching
    await story.cli(['release', id, '--reason', 'x'])

    expectExit(run, 3)
    expect(run.stdout).toContain('degraded')
    expect(run.stdout).toMatch(/sw1 +enforcer +unreachable/)
    expect(run.stdout).toContain('do: ')
    expectExit(status, 3)
    expectExit(all, 0)
    expect(all.stdout).toMatch(/sw1 +unreachable/)
    expectExit(retried, 0)
    expect(retried.stdout).toContain('block port sw1:p1 of esthost: enforced. 1 of 1 device')
    expectExit(watched, 0)
    expect(watched.stdout).toMatch(/sw1 +enforcer +verified/)
  })

  it('does not call a release done that has not reached every device', async () => {
    const sw1 = story.simulator.device('sw1')
    const run = await story.cli(['block', '--port', 'sw1:p1', ...why])
    const { id } = await onlyEnforcement('esthost')
    sw1.faults.add({ kind: 'off' })
    const release = await story.cli(['release', id, '--reason', 'x', '--timeout', '1s'])
    const watching = story.cli(['watch', id])
    sw1.faults.clear()
    await story.cli(['device', 'reconcile', 'sw1'])
    const watched = await watching

    expectExit(run, 0)
    expectExit(release, 3)
    expect(release.stdout).toContain('releasing')
    expect(release.stdout).toMatch(/sw1 +enforcer +unreachable/)
    expectExit(watched, 0)
    expect(watched.stdout).toContain('released')
  })

  it('survives a restart of the controller while it waits', async () => {
    const own = await startStory()
    const sw1 = own.simulator.device('sw1')
    sw1.faults.add({ kind: 'slow', ms: 100 })
    let said = ''
    const running = own.cli(['block', '--port', 'sw1:p1', ...why], {
      onRemark: (text) => {
        said = text
      },
    })
    await own.until('it waits', () => said.includes('enforcing') || undefined)
    await own.restart()
    const run = await running
    await own.stop()

    expectExit(run, 0)
    expect(run.stdout).toContain('enforced')
  })

  it('leaves the decision to the controller when interrupted', async () => {
    const interrupt = new AbortController()
    const run = await story.cli(['block', '--port', 'sw1:p1', ...why], {
      signal: interrupt.signal,
      onRemark: (text) => {
        if (text.includes('enforcing')) interrupt.abort()
      },
    })
    const { id } = await onlyEnforcement('esthost')
    const watched = await story.cli(['watch', id])
    await story.cli(['release', id, '--reason', 'x'])

    expectExit(run, 130)
    expectExit(watched, 0)
    expect(run.stderr).toContain('goes on in the controller')
    expect(run.stderr).toContain(`nullroute watch ${id}`)
  })
})

describe('the log', () => {
  it('is read from its end, followed without growing by it, and searched', async () => {
    const tail = await story.cli(['audit', 'tail', '-n', '3'], { as: 'auditor' })
    const search = await story.cli(
      ['audit', 'search', '--action', 'freeze.set', '--json', '--limit', '5'],
      { as: 'auditor' },
    )
    const interrupt = new AbortController()
    let seen = ''
    const follow = story.cli(['audit', 'tail', '-f', '-n', '1', '--json'], {
      signal: interrupt.signal,
      onAnswer: (text) => {
        seen = text
      },
    })
    for (const reason of ['seen first', 'seen next']) {
      await story.api('POST', '/v1/freeze', { reason })
      await story.until(`the tail shows "${reason}"`, () => seen.includes(reason) || undefined)
      await story.api('DELETE', '/v1/freeze')
    }
    interrupt.abort()
    const followed = await follow

    expectExit(tail, 0)
    expect(tail.stdout.trim().split('\n')).toHaveLength(3)
    expect(search.json<{ items: object[] }>().items[0]).toMatchObject({ type: 'freeze.set' })
    expectExit(followed, 0)
    const types = followed.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type)
    expect(types.filter((type) => type === 'freeze.set')).toHaveLength(2)
    // The search before it, and its own first look; none for each look that follows.
    expect(types.filter((type) => type === 'log.searched')).toHaveLength(2)
  })
})

describe('help', () => {
  it('shows chapters and examples, the version, and what each flag takes', async () => {
    const help = await story.cli(['--help'])
    const suspend = await story.cli(['suspend', '--help'])
    const version = await story.cli(['--version'])

    expectExit(help, 0)
    expect(help.stdout).toContain('Decide:')
    expect(help.stdout).toContain('Exit codes: 0 done')
    expect(suspend.stdout).toContain('Examples:\n  $ nullroute suspend esthost')
    expect(suspend.stdout).toContain('--json')
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+/)
  })
})

describe('as a process', () => {
  let program: string
  beforeAll(async () => {
    program = await bundled(join(import.meta.dirname, '../../controller/cli/main.ts'))
  })

  function spawned(argv: readonly string[]) {
    const child = spawn(process.execPath, [program, ...argv], {
      env: { ...process.env, NULLROUTE_URL: story.url, NULLROUTE_TOKEN: story.tokens.admin },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stderr = ''
    child.stderr.on('data', (chunk) => {
      stderr += String(chunk)
    })
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
    return { child, ended, stderr: () => stderr }
  }

  it('ends with the exit code of its command', async () => {
    const refused = spawned(['suspend', 'nobody', ...why])

    expect(await refused.ended).toBe(1)
    expect(refused.stderr()).toContain('there is no customer "nobody"')
  })

  it('ends quietly when nobody reads on', async () => {
    const cut = spawned(['audit', 'tail', '-n', '10000', '--json'])
    cut.child.stdout.once('data', () => cut.child.stdout.destroy())

    expect(await cut.ended).toBe(0)
    expect(cut.stderr()).toBe('')
  })

  it('says on Ctrl-C that the decision goes on', async () => {
    // So slow that the decision is not carried out before the signal has come, on a busy machine either.
    story.simulator.device('sw1').faults.add({ kind: 'slow', ms: 2_000 })
    const run = spawned(['block', '--port', 'sw1:p1', ...why])
    await story.until('it waits', () => run.stderr().includes('enforcing') || undefined)
    run.child.kill('SIGINT')
    const exit = await run.ended
    story.simulator.device('sw1').faults.clear()
    await story.cli(['release', 'esthost', '--reason', 'x'])

    expect(exit).toBe(130)
    expect(run.stderr()).toContain('the decision goes on in the controller')
  })
})
