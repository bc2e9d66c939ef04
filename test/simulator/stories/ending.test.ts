// `nullroute serve` as a process, and how it ends: told to, told twice, killed, and by a disk that does not keep what it was given.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { EnforcementView } from '../../../controller/api/schema.ts'
import { bundled } from '../../bundle.ts'
import { village } from './networks.ts'
import { type Story, startStory, suspend } from './story.ts'

interface Served {
  readonly process: ChildProcess
  readonly url: string
  /** Its exit code, or undefined where a signal ended it. */
  readonly ended: Promise<number | undefined>
  log(): string
  /** Resolves once it has said so. */
  says(pattern: RegExp): Promise<string>
}

/** Where `nullroute` lies, as one file. */
let program: string
let story: Story
let token: string
let children: ChildProcess[]

beforeAll(async () => {
  program = await bundled(join(import.meta.dirname, '../../../controller/cli/main.ts'))
})

beforeEach(async () => {
  children = []
  story = await startStory(village)
  token = await story.token('desk', ['admin', 'abuse', 'engineer'])
  await story.stopController()
})

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  await story.end()
})

/** The program in a process of its own, on the story's data. */
function start(drainMs: number, environment: Readonly<Record<string, string>> = {}) {
  const child = spawn(
    process.execPath,
    [program, 'serve', '--json', '--config', join(story.folder, 'serve.yaml')],
    {
      env: { ...process.env, ...story.environment, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  children.push(child)
  const heard = new EventEmitter()
  const text = { out: '', log: '' }
  child.stdout.on('data', (bytes: Buffer) => {
    text.out += bytes.toString()
    heard.emit('more')
  })
  child.stderr.on('data', (bytes: Buffer) => {
    text.log += bytes.toString()
    heard.emit('more')
  })
  const ended = once(child, 'close').then(([code]) => (code as number | null) ?? undefined)
  const find = (of: 'out' | 'log', pattern: RegExp): Promise<string> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = pattern.exec(text[of])?.[0]
        if (found === undefined) return
        heard.off('more', look)
        resolve(found)
      }
      heard.on('more', look)
      look()
    })
  return { child, text, ended, find, drainMs }
}

async function serve(
  drainMs = 10_000,
  environment: Readonly<Record<string, string>> = {},
): Promise<Served> {
  const { folder, config } = story
  await writeFile(
    join(folder, 'serve.yaml'),
    JSON.stringify({
      inventory: config.inventory,
      data: config.data,
      listen: '127.0.0.1:0',
      drainMs,
    }),
  )
  const { child, text, ended, find } = start(drainMs, environment)
  const ready = await Promise.race([find('out', /^\{"ready".*\}$/m), ended])
  if (typeof ready !== 'string') throw new Error(`ended with ${ready}: ${text.log}`)
  const { url } = JSON.parse(ready) as { url: string }
  return {
    process: child,
    url,
    ended,
    log: () => text.log,
    says: (pattern) => find('log', pattern),
  }
}

const ask = (url: string, path: string, body?: object): Promise<Response> =>
  fetch(`${url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })

/** A request of which the controller has not got all yet. */
function begin(url: string): { end(): Promise<number | undefined> } {
  const sent = request(`${url}/v1/plans`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': 2,
    },
  })
  const status = once(sent, 'response').then(([response]) => {
    const { statusCode } = (response as IncomingMessage).resume()
    return statusCode
  })
  sent.write('{')
  return {
    end: () => {
      sent.end('}')
      return status
    },
  }
}

const shown = async (url: string, id: string) =>
  (await (await ask(url, `/v1/enforcements/${id}`)).json()) as EnforcementView

const received = (device: string, text: RegExp) => () =>
  story
    .device(device)
    .journal.lines()
    .some((line) => text.test(line))

/** Suspends a customer, and waits until the trigger has got a line that it never answers. */
async function hang(url: string): Promise<string> {
  story.device('trigger1').faults.add({ kind: 'hang', matching: '^ipv6 route' })
  const response = await ask(url, '/v1/enforcements', suspend('esthost'))
  const { id } = (await response.json()) as EnforcementView
  await story.until('the trigger hangs', received('trigger1', /^ipv6 route/))
  return id
}

describe('a controller that is told to end', () => {
  it('ends within its time though a device hangs, answers what is under way, and says what the next start goes on with', async () => {
    const served = await serve()
    const half = begin(served.url)
    const id = await hang(served.url)
    // Waits behind the line that hangs, for as long as the controller runs.
    const waiting = ask(served.url, '/v1/devices/trigger1/check', {})
    // On its way since before these: the controller has it when it has answered them.
    for (let turn = 0; turn < 3; turn++) await ask(served.url, '/v1/me')

    served.process.kill('SIGTERM')
    await served.says(/"msg":"ending/)
    // The half request holds the end up, so that there is somebody to refuse what is new.
    let refused = await ask(served.url, '/v1/me')
    await story.until('what is new is refused', async () => {
      if (refused.status === 200) refused = await ask(served.url, '/v1/me')
      return refused.status !== 200
    })
    const checked = await waiting
    const answered = await half.end()
    const code = await served.ended

    expect(refused.status).toBe(503)
    expect(refused.headers.get('connection')).toBe('close')
    expect(await refused.json()).toMatchObject({ code: 'stopping' })
    expect(answered).toBe(422)
    expect(checked.status).toBe(202)
    expect(await checked.json()).toMatchObject({
      preflight: [{ name: 'session', ok: false, found: 'stopped: the agent was told to stop' }],
    })
    expect(served.log()).toContain(`the next start goes on with: ${id} (enforcing)`)
    expect(code).toBe(0)
    await expect(ask(served.url, '/v1/me')).rejects.toThrow()

    story.device('trigger1').faults.clear()
    await story.startController()
    expect((await story.reaches(id, 'enforced')).status).toBe('enforced')
  })

  it('ends all the same where its time is too short, with exit code 1, and says so', async () => {
    const served = await serve(0)
    const id = await hang(served.url)

    served.process.kill('SIGTERM')
    const code = await served.ended

    expect(served.log()).toContain(
      `not all ended in time: the next start goes on with: ${id} (enforcing)`,
    )
    expect(code).toBe(1)
    story.device('trigger1').faults.clear()
    await story.startController()
    expect((await story.reaches(id, 'enforced')).status).toBe('enforced')
  })

  it('ends at once at a second signal, and nothing is lost', async () => {
    const served = await serve()
    const id = await hang(served.url)

    // As somebody who presses Ctrl-C until it ends: two that come close together are one.
    const pressing = setInterval(() => served.process.kill('SIGINT'), 100)
    const code = await served.ended
    clearInterval(pressing)

    expect(code).toBe(130)
    expect(served.log()).toContain('"msg":"ending')
    expect(served.log()).not.toContain('"msg":"ended"')
    story.device('trigger1').faults.clear()
    await story.startController()
    expect((await story.reaches(id, 'enforced')).status).toBe('enforced')
  })
})

describe('a second controller on the same data', () => {
  it('does not start while the first runs, names it, and starts as soon as that was killed', async () => {
    const first = await serve()
    const second = start(10_000)
    expect(await second.ended).toBe(1)
    expect(second.text.log).toContain('"code": "data_in_use"')
    expect(second.text.log).toContain(`in use by another controller (pid ${first.process.pid})`)
    expect((await ask(first.url, '/v1/me')).status).toBe(200)

    first.process.kill('SIGKILL')
    await first.ended
    const third = await serve()
    expect((await ask(third.url, '/v1/me')).status).toBe(200)
  })
})

// Stands before the C library's own: once the file is there, no fsync works any more, as on a disk that fails.
const shim = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
static int broken(void) {
  const char *file = getenv("DISK_FAILS");
  return file != NULL && access(file, F_OK) == 0;
}
int fsync(int fd) {
  if (broken()) { errno = EIO; return -1; }
  return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}
int fdatasync(int fd) {
  if (broken()) { errno = EIO; return -1; }
  return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
`

describe('a disk that does not keep what it was given', () => {
  it('ends the controller: the decision is refused, no device is touched, and the next start goes on from what is there', async () => {
    const [source, library] = [join(story.folder, 'shim.c'), join(story.folder, 'shim.so')]
    const fails = join(story.folder, 'disk-fails')
    await writeFile(source, shim)
    execFileSync('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl'])
    const served = await serve(10_000, { LD_PRELOAD: library, DISK_FAILS: fails })
    const first = await ask(served.url, '/v1/enforcements', suspend('esthost'))
    const { id } = (await first.json()) as EnforcementView
    const settled = async () => {
      const { status, unsaved } = await shown(served.url, id)
      return status === 'enforced' && unsaved.length === 0
    }
    await story.until('it is in force and saved', settled)
    const before = story.device('trigger1').running

    await writeFile(fails, '')
    const answer = await ask(served.url, '/v1/enforcements', suspend('goodhost'))
    const code = await served.ended

    expect(answer.status).toBe(503)
    expect(await answer.json()).toMatchObject({ code: 'audit_unavailable' })
    expect(code).toBe(1)
    expect(story.device('trigger1').running).toBe(before)
    expect(served.log()).toContain('the disk did not keep what was written')
    await story.startController()
    expect((await story.reaches(id, 'enforced')).status).toBe('enforced')
  })
})
