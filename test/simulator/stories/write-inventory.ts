// The files that a story's controller reads: its inventory, and the host keys of the simulated devices.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Simulator } from '../simulator.ts'
import type { StoryOptions } from './story.ts'

/** Writes `inventory.yaml` and `known_hosts`; devices stand where the simulator listens. */
export async function writeInventory(
  folder: string,
  simulator: Pick<Simulator, 'devices' | 'device'>,
  options: Pick<StoryOptions, 'devices' | 'customers' | 'more'>,
): Promise<void> {
  const keys = simulator.devices.map(({ host, port, hostKey }) => `[${host}]:${port} ${hostKey}\n`)
  await writeFile(join(folder, 'known_hosts'), keys.join(''))
  const devices = options.devices.map(({ name, platform, roles, says }) => {
    const { host, port } = simulator.device(name)
    const more = [
      ...(platform === 'cisco_ios' ? ['enable: { passwordEnv: ENABLE }'] : []),
      ...(says === undefined ? [] : [says]),
    ]
    const fields = [
      `platform: ${platform}`,
      `address: ${host}`,
      `port: ${port}`,
      `roles: [${(roles ?? []).join(', ')}]`,
      ...more,
    ]
    return `  ${name}: { ${fields.join(', ')} }`
  })
  const text = [
    'version: 1',
    'defaults: { username: netops, auth: { passwordEnv: SIMULATED }, knownHosts: known_hosts, deadlineMs: 5000 }',
    'devices:',
    ...devices,
    'customers:',
    options.customers,
    options.more ?? '',
  ]
  await writeFile(join(folder, 'inventory.yaml'), `${text.join('\n')}\n`)
}
