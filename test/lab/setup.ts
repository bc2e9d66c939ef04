// Once for all tests of the lab: brings it up, and takes it away again unless it was up before.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { labFolder, script } from './lab.ts'

/** Called by vitest before the first test; answers what to do after the last. */
export async function setup(): Promise<() => Promise<void>> {
  const wasUp = existsSync(join(labFolder, 'ready'))
  await script('up')
  return async () => {
    if (!wasUp) await script('down')
  }
}
