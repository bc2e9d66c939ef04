// The controller of a story in a process of its own, so that it can be killed. What the stories of kills share; no story of its own.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'vitest'
import type { EnforcementView } from '../../../controller/api/schema.ts'
import { bundled } from '../../bundle.ts'
import type { Story } from './story.ts'

/** A controller that can be killed. */
export interface Child {
  readonly process: ChildProcess
  readonly token: string
  /** Posts a body that must be accepted. */
  call(path: string, body: object): Promise<EnforcementView>
}

/** Starts one on the data of a story whose own controller is stopped. */
export async function startChild(story: Story): Promise<Child> {
  const child = spawn(
    process.execPath,
    [await bundled(join(import.meta.dirname, 'child.ts')), JSON.stringify(story.config)],
    { env: { ...process.env, ...story.environment }, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const { url, token } = JSON.parse(line) as { url: string; token: string }
  return {
    process: child,
    token,
    async call(path, body) {
      const headers = {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'idempotency-key': path,
      }
      const sent = { method: 'POST', headers, body: JSON.stringify(body) }
      const response = await fetch(`${url}${path}`, sent)
      expect(response.status).toBe(202)
      return (await response.json()) as EnforcementView
    },
  }
}

/** Kills it at once, as a power cut does. */
export async function kill(child: Child): Promise<void> {
  child.process.kill('SIGKILL')
  await once(child.process, 'exit')
}
