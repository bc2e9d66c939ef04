// A known_hosts file as it stands on disk now. It is parsed again only when it was changed: a fleet of thousands asks for the same file at every log-in.

import { readFile, stat } from 'node:fs/promises'
import { type KnownHosts, parseKnownHosts, unreadKnownHosts } from './host-keys.ts'

interface Kept {
  /** What a change to the file would change. */
  readonly state: string
  /** A promise, so that log-ins at the same time share one reading: each session holds on to what it was given. */
  readonly known: Promise<KnownHosts>
}

/** By path. There are as many as the inventory names. */
const kept = new Map<string, Kept>()

/** The keys of a file. One that can't be read is a file without keys, with the reason as its problem: the host's own key is then named in the refusal. */
export async function readKnownHosts(file: string): Promise<KnownHosts> {
  try {
    const state = await stateOf(file)
    const before = kept.get(file)
    if (before?.state === state) return await before.known
    const reading: Kept = { state, known: read(file) }
    kept.set(file, reading)
    // Changed while it was read, it may be half of each: believed this once as any file under the pen is, but not kept.
    const isWhole = await reading.known
      .then(async () => (await stateOf(file)) === state)
      .catch(() => false)
    if (!isWhole && kept.get(file) === reading) kept.delete(file)
    return await reading.known
  } catch (cause) {
    return unreadKnownHosts(file, cause)
  }
}

async function read(file: string): Promise<KnownHosts> {
  return parseKnownHosts(await readFile(file, 'utf8'), file)
}

async function stateOf(file: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true })
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`
}
