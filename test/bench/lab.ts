// a: the lab's FRR router, real FRRouting behind a real OpenSSH, on this machine.

import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { BareTarget } from './bare.ts'
import type { Options } from './options.ts'
import { judged, measured, type Row, type Section } from './report.ts'
import { type Desk, phases, startBare, startDesk, type Taken } from './rig.ts'
import { duration, ratioOf, spread, summarize } from './statistics.ts'
import { addressOf, role, writeFiles } from './world.ts'

const folder = process.env['NULLROUTE_LAB'] ?? '/run/nullroute-lab'
const router = { host: '10.20.0.12', port: 22, username: 'nullroute', platform: 'frr' } as const
const goal = { warm: 1.6, cold: 1.3 }

/** The lab while it is up. */
export interface Lab {
  readonly target: BareTarget
  /** A controller on the trigger router alone. */
  desk(how: {
    readonly cold: boolean
    readonly customers?: Readonly<Record<string, object>>
  }): Promise<Desk>
  end(): Promise<void>
}

/** Brings the lab up, or uses the one that is up. Answers a reason where this machine can't have one. */
export async function openLab(): Promise<Lab | string> {
  if (process.getuid?.() !== 0) return 'needs root, for network namespaces'
  const missing = ['/usr/lib/frr/zebra', '/usr/sbin/sshd', '/usr/bin/vtysh'].filter(
    (path) => !existsSync(path),
  )
  if (missing.length > 0) return `needs FRRouting and OpenSSH: ${missing.join(', ')} is not there`
  const wasUp = existsSync(join(folder, 'ready'))
  if (!wasUp) await script('up')
  const keys = join(folder, 'inventory')
  const privateKey = await readFile(join(keys, 'keys/nullroute'), 'utf8')
  return {
    target: { ...router, privateKey },
    async desk({ cold, customers = {} }) {
      const own = await mkdtemp(join(tmpdir(), 'nullroute-bench-'))
      await writeFiles(own, {
        defaults: {
          username: router.username,
          auth: { privateKeyFile: join(keys, 'keys/nullroute') },
          knownHosts: join(keys, 'known_hosts'),
          ...(cold ? { sessionIdleMs: 0 } : {}),
        },
        devices: { trigger1: { platform: 'frr', address: router.host, roles: [role] } },
        customers,
      })
      const desk = await startDesk(own, { ownDeadlineMs: 60_000 })
      return {
        ...desk,
        async end() {
          await desk.end()
          await rm(own, { recursive: true, force: true })
        },
      }
    },
    end: () => (wasUp ? Promise.resolve() : script('down')),
  }
}

async function script(what: 'up' | 'down'): Promise<void> {
  // Daemons keep a pipe open for ever, so there is none.
  const child = spawn(resolve('test/lab/lab.sh'), [what, '--run', folder], {
    stdio: 'ignore',
    timeout: 90_000,
  })
  const code = await new Promise((done) => child.once('exit', done))
  if (code !== 0) throw new Error(`test/lab/lab.sh ${what} ended with ${String(code)}`)
}

/** Bare ssh2 and nullroute on the lab's trigger router, warm and cold. */
export async function benchLab(options: Options, lab: Lab | string): Promise<Section> {
  const title = 'The lab’s FRR router'
  if (typeof lab === 'string') return { letter: 'a', title, rows: [notRun(lab)], notes: [] }
  const version = await promisify(execFile)('/usr/bin/vtysh', ['--version'])
    .then(({ stdout }) => stdout.split('\n')[0] ?? '')
    .catch(() => 'FRRouting')
  const warm = await pairs(lab, false, options.quick ? 3 : 25)
  const cold = await pairs(lab, true, options.quick ? 2 : 11)
  return {
    letter: 'a',
    title,
    rows: [...rowsOf('warm', warm), ...rowsOf('cold', cold)],
    notes: [
      `One IPv4 blackhole route with a tag on the lab’s trigger router (${version}, OpenSSH, a network namespace of this machine). The floor types \`configure terminal\`, the route and \`end\`, each prompt awaited, then asks \`show ip route … json\` until it is installed: about 10 ms of that are FRR’s own queue between staticd and the RIB. Cold, it logs in first and switches paging off.`,
      'nullroute does more in its time: the API call, the durable acceptance, a first look at the configuration and the RIB, the durable record of what it is about to send, the record of what was answered, a read-back of configuration and RIB, and the durable result.',
      'Three times in a row it waits for the disk, each time for as long as a write with fsync takes here (see the machine): the acceptance before anybody is told of it, the intent before the first line goes out, the result before it is called enforced. None of them may go or be put together with another. The record of what was answered is written while FRR’s queue is waited for, or with the result. The look before and the read-back are whole running configurations, which vtysh gathers from all daemons; the floor reads none. What is left is processor time: HTTP, guards and plan, some ten rows and six hash-linked, searchable records. It does not shrink with a faster line, and on a machine that has other work every part of it waits for its turn.',
    ],
  }
}

/** A bench that this machine can't run. */
export function notRun(why: string): Row {
  return {
    what: 'on the lab’s FRR router',
    goal: '',
    figure: `not run: ${why}`,
    verdict: 'not run',
  }
}

interface Pairs {
  readonly floor: readonly number[]
  readonly taken: readonly Taken[]
}

async function pairs(lab: Lab, cold: boolean, runs: number): Promise<Pairs> {
  const bare = await startBare([lab.target])
  const desk = await lab.desk({ cold })
  const floor: number[] = []
  const taken: Taken[] = []
  try {
    if (!cold) await bare.ask('open', { atOnce: 1 })
    for (let run = -2; run < runs; run++) {
      const typed = async (): Promise<number> => {
        const about = { address: addressOf(1_000 + run), atOnce: 1 }
        const ms = await bare.ask(cold ? 'cold' : 'warm', about)
        await bare.ask('off', about)
        if (cold) await bare.ask('close', undefined)
        return ms
      }
      const decided = async (): Promise<Taken> => {
        const one = await desk.block(addressOf(2_000 + run))
        await desk.release(one.id)
        return one
      }
      // In turn, so that neither always comes second.
      const first = run % 2 === 0 ? await typed() : undefined
      const ours = await decided()
      const theirs = first ?? (await typed())
      if (run < 0) continue
      floor.push(theirs)
      taken.push(ours)
    }
  } finally {
    await desk.end()
    await bare.end()
  }
  return { floor, taken }
}

function rowsOf(how: 'warm' | 'cold', { floor, taken }: Pairs): readonly Row[] {
  const ours = taken.map(({ verifiedMs }) => verifiedMs)
  const ratio = ratioOf(ours, floor)
  const all = taken.map(phases)
  const at = (name: keyof ReturnType<typeof phases>): string =>
    duration(summarize(all.map((one) => one[name])).median)
  return [
    judged(
      `FRR router, ${how}: API call to verified and durable`,
      `< ${goal[how]} × bare ssh2`,
      `${ratio.toFixed(2)} ×: ${spread(ours)}; bare ssh2 ${spread(floor)}`,
      ratio < goal[how],
    ),
    measured(
      `of that, from the call to`,
      `accepted ${at('accepted')}, read and intended ${at('intended')}, sent, and once read back ${at('done')}, verified ${at('verified')}`,
    ),
  ]
}
