// A known_hosts file as it stands on disk now. It is parsed again only when it was changed: a fleet of thousands asks for the same file at every log-in.

import { readFile, stat } from 'node:fs/promises'
import { type KnownHosts, parseKnownHosts, unreadKnownHosts } from './host-keys.ts'

interface Kept {
  /** What a change to the file would change. */
  readonly state: string
  readonly known: KnownHosts
}

/** By path. There are as many as the inventory names. */
const kept = new Map<string, Kept>()

/** The keys of a file. One that can't be read is a file without keys, with the reason as its problem: the host's own key is then named in the refusal. */
export async function readKnownHosts(file: string): Promise<KnownHosts> {
  try {
    const state = await stateOf(file)
    const before = kept.get(file)
    if (before?.state === state) return before.known
    const known = parseKnownHosts(await readFile(file, 'utf8'), file)
    // Changed while it was read, it may be half of each: believed this once as any file under the pen is, but not kept.
    if ((await stateOf(file)) === state) kept.set(file, { state, known })
    return known
  } catch (cause) {
    return unreadKnownHosts(file, cause)
  }
}

async function stateOf(file: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true })
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`
}
