// A known_hosts file is parsed once and not for each of thousands of log-ins, but a change to it counts at the next one.

import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { knownKinds } from '../../agent/host-keys.ts'
import { readKnownHosts } from '../../agent/known-hosts-file.ts'

const ed25519 = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFN1cGVyc2VjcmV0c3VwZXJzZWNyZXRzdXBlcnNlY3I='
let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nullroute-known-'))
  file = join(folder, 'known_hosts')
})

afterEach(() => rm(folder, { recursive: true }))

async function knows(host: string): Promise<boolean> {
  return knownKinds(await readKnownHosts(file), host, 22).length > 0
}

describe('a known_hosts file', () => {
  it('is the same one as long as nobody changes it', async () => {
    await writeFile(file, `10.0.0.1 ${ed25519}\n`)

    expect(await readKnownHosts(file)).toBe(await readKnownHosts(file))
  })

  it('is one and the same for log-ins at the same time: each session holds on to it', async () => {
    await writeFile(file, `10.0.0.1 ${ed25519}\n`)

    const all = await Promise.all(Array.from({ length: 20 }, () => readKnownHosts(file)))

    expect(new Set(all).size).toBe(1)
  })

  it('counts with what was added to it', async () => {
    await writeFile(file, `10.0.0.1 ${ed25519}\n`)
    expect(await knows('10.0.0.2')).toBe(false)

    await writeFile(file, `10.0.0.2 ${ed25519}\n`, { flag: 'a' })

    expect(await knows('10.0.0.2')).toBe(true)
  })

  it('counts no more with what was taken out by another file in its place, of the same length', async () => {
    await writeFile(file, `10.0.0.1 ${ed25519}\n`)
    expect(await knows('10.0.0.1')).toBe(true)

    await writeFile(`${file}.new`, `10.0.0.3 ${ed25519}\n`)
    await rename(`${file}.new`, file)

    expect(await knows('10.0.0.1')).toBe(false)
    expect(await knows('10.0.0.3')).toBe(true)
  })

  it('that is not there knows nobody and says why, and is read once it is', async () => {
    expect((await readKnownHosts(file)).problems).toMatchObject([
      { file, message: expect.stringContaining('found no such file') },
    ])

    await writeFile(file, `10.0.0.1 ${ed25519}\n`)

    expect(await knows('10.0.0.1')).toBe(true)
  })

  it('names hosts in any case, by their whole name or by wildcards', async () => {
    await writeFile(
      file,
      `Edge1.example,10.0.* ${ed25519}\n[edge2]:2222,!10.1.0.1,10.1.? ${ed25519}\n`,
    )
    const known = await readKnownHosts(file)

    expect(
      [
        ['edge1.EXAMPLE', 22],
        ['edge1xexample', 22],
        ['10.0.7.7', 22],
        ['edge2', 2222],
        ['edge2', 22],
        ['10.1.5', 22],
      ].map(([host, port]) => knownKinds(known, String(host), Number(port)).length),
    ).toEqual([1, 0, 1, 1, 0, 1])
  })
})
